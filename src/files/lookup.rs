//! Which file answers a path: from the cache, or from the file system. Only this file has files of
//! a site opened.

use super::disk::{Disk, DiskFile, Opened};
use super::resolve::Resolved;
use super::resource::Resource;
use super::resource::cache::{AskedBy, Cached};
use super::resource::representation::Representation;
use super::respond::error::FileError;
use super::site::Site;
use crate::handler::Now;
use crate::semantics::Headers;
use crate::semantics::accept_encoding::ranking;
use crate::sys::beneath::Root;
use std::sync::Arc;

#[derive(Debug)]
pub enum Lookup {
    Resource(Arc<Resource>),
    /// A folder, asked for without a slash at the end.
    FolderWithoutSlash,
    /// A folder without an index, to be listed.
    Folder(DiskFile),
}

impl Site {
    /// Finds the answer to a path, and caches it if it may.
    pub fn look_up(
        &self,
        root: &Arc<Root>,
        disk: &Disk<'_>,
        path: &Resolved<'_>,
        by: AskedBy,
        now: Now,
    ) -> Result<Lookup, FileError> {
        let before = match self.cache.find(root, disk, path, by, now)? {
            Cached::Resource(resource) => return Ok(Lookup::Resource(resource)),
            Cached::Absence(error) => return Err(error),
            Cached::Unknown(before) => before,
        };
        let search = Search {
            site: self,
            root,
            disk,
            path,
            before: before.as_deref(),
            now,
        };
        let mut found = search.find();
        if let Err(FileError::NoDescriptors) = found {
            // Files that are open for later requests must not stand in the way of this one.
            self.cache.close_files();
            found = search.find();
        }
        if let Err(error @ FileError::NotFound(_)) = found {
            self.cache.keep_absence(root, path, error, now);
        }
        found
    }

    /// The file in the coding that the client likes best of those available; `None` when it
    /// excludes them all. The sidecars that were found are cached.
    ///
    /// # Errors
    /// [`FileError::Busy`]: a sidecar cannot be looked for.
    pub fn negotiate(
        &self,
        root: &Arc<Root>,
        disk: &Disk<'_>,
        path: &Resolved<'_>,
        mut resource: Arc<Resource>,
        headers: Headers<'_>,
        now: Now,
    ) -> Result<Option<Arc<Representation>>, FileError> {
        let mut chosen = None;
        let mut has_looked = false;
        for coding in ranking(headers).iter() {
            chosen = match coding.map(|coding| (coding, resource.coded(coding))) {
                None => Some(resource.plain().clone()),
                Some((_, Some(None))) => None,
                Some((_, Some(Some(sidecar)))) if sidecar.is_intact(disk)? => Some(sidecar.clone()),
                Some((coding, _)) => {
                    let pass = disk.enter()?;
                    // Even if no sidecar can be read, the file itself is there.
                    let opened = regular_file(disk, root, &resource.sidecar_path(coding));
                    let opened = opened.ok().flatten();
                    let (looked_at, sidecar) =
                        resource.with_sidecar(pass, coding, opened, &self.options, now);
                    resource = Arc::new(looked_at);
                    has_looked = true;
                    sidecar
                }
            };
            if chosen.is_some() {
                break;
            }
        }
        if has_looked {
            self.cache.keep(path, &resource, now);
        }
        // A packed file has no other form. It is sent whatever the client accepts: by RFC 9110
        // §12.5.3 it "SHOULD" get none or a 406, but `wget` accepts `identity` alone and saves what
        // comes, and that is the file.
        let packed = || Some(resource.plain().clone()).filter(|plain| plain.is_coded());
        Ok(chosen.or_else(packed))
    }
}

struct Search<'a> {
    site: &'a Site,
    root: &'a Arc<Root>,
    disk: &'a Disk<'a>,
    path: &'a Resolved<'a>,
    /// What the cache has from an earlier search, possibly outdated.
    before: Option<&'a Resource>,
    now: Now,
}

impl Search<'_> {
    fn find(&self) -> Result<Lookup, FileError> {
        let path = self.path.below_root();
        if self.path.slash {
            return self.find_index(path);
        }
        let exact = match self.disk.open(self.root, path) {
            Ok(opened) if opened.metadata.is_file() => return self.load(path.to_vec(), opened),
            Ok(opened) if opened.metadata.is_dir() => Ok(Lookup::FolderWithoutSlash),
            Ok(_) => Err(FileError::NotFound(NOT_REGULAR)),
            Err(error) => Err(error),
        };
        // The page comes before the folder of that name, which has its own path with the slash.
        let may_be_page = matches!(
            exact,
            Ok(Lookup::FolderWithoutSlash) | Err(FileError::MISSING)
        );
        if may_be_page && self.site.options.clean_urls && !path.ends_with(PAGE) {
            let page = [path, PAGE].concat();
            if let Some(opened) = regular_file(self.disk, self.root, &page)? {
                return self.load(page, opened);
            }
        }
        exact
    }

    /// Opens the index without looking at the folder first, as most requested folders have one.
    fn find_index(&self, folder: &[u8]) -> Result<Lookup, FileError> {
        for name in &self.site.options.index {
            let mut path = Vec::with_capacity(folder.len() + 1 + name.len());
            if !folder.is_empty() {
                path.extend_from_slice(folder);
                path.push(b'/');
            }
            path.extend_from_slice(name.as_bytes());
            match self.disk.open(self.root, &path) {
                Ok(opened) if opened.metadata.is_file() => return self.load(path, opened),
                // Not a regular file: the next one is tried.
                Ok(_) | Err(FileError::MISSING) => {}
                // Not listed instead: whoever made an index did not mean the folder to be seen.
                Err(error) => return Err(error),
            }
        }
        let Opened { file, metadata } = self.disk.open(self.root, folder)?;
        if metadata.is_dir() && self.site.options.listing {
            return Ok(Lookup::Folder(file));
        }
        Err(FileError::NotFound(if metadata.is_dir() {
            "no index file in the folder"
        } else if metadata.is_file() {
            "a file was asked with a slash behind its name"
        } else {
            NOT_REGULAR
        }))
    }

    /// Makes the opened file the answer.
    fn load(&self, path: Vec<u8>, opened: Opened) -> Result<Lookup, FileError> {
        let options = &self.site.options;
        let (pass, root) = (self.disk.enter()?, self.root);
        let resource = Resource::load(pass, root, path, opened, self.before, options, self.now)
            .map_err(|error| FileError::of_io(&error))?;
        let resource = Arc::new(resource);
        self.site.cache.keep(self.path, &resource, self.now);
        Ok(Lookup::Resource(resource))
    }
}

/// The regular file at a path, if there is one.
fn regular_file(disk: &Disk<'_>, root: &Root, path: &[u8]) -> Result<Option<Opened>, FileError> {
    match disk.open(root, path) {
        Ok(opened) => Ok(opened.metadata.is_file().then_some(opened)),
        Err(FileError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The extension that a clean URL leaves out.
const PAGE: &[u8] = b".html";
const NOT_REGULAR: &str = "neither a file nor a folder";
