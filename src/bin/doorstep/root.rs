//! The folder or file to serve: its full name, its index, warnings about it, or why it cannot be
//! served.
//!
//! Which of its files are served is the library's decision.

use crate::error::{self, CliError};
use crate::file_options::{FileOptions, or_here};
use crate::text::{escaped, nearest, shown};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

#[derive(Debug, PartialEq, Eq)]
pub struct Root {
    pub path: PathBuf,
    pub kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Folder {
        index: Option<String>,
    },
    /// A file, served for every path.
    File,
}

/// Folders where tools usually put a site, most likely first: the hint when no name is similar.
const USUAL: [&str; 10] = [
    "dist",
    "build",
    "public",
    "html",
    "www",
    "_site",
    "site",
    "out",
    "docs",
    "target/doc",
];

/// The most entries of a folder that are checked for a hint or a warning. A guess: more would slow
/// the start noticeably.
const ENTRIES_CHECKED: usize = 10_000;

/// The most names in one warning.
const NAMES_SHOWN: usize = 5;

impl Root {
    /// Checks the folder or file; `index` holds the names of index files.
    ///
    /// # Errors
    /// When it does not exist, is neither a folder nor a file, or may not be read.
    pub fn at(asked: &Path, index: &[&str]) -> Result<Root, CliError> {
        let root = |kind| Root {
            path: absolute_path(asked),
            kind,
        };
        match fs::metadata(asked) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(metadata) if metadata.is_file() => {
                // Metadata does not need read permission; serving does, or every response is 403.
                fs::File::open(asked).map_err(|error| failed(asked, &error))?;
                return Ok(root(Kind::File));
            }
            Ok(_) => return Err(error::neither_folder_nor_file(asked)),
            Err(error) => return Err(failed(asked, &error)),
        }
        let mut found = None;
        for name in index {
            match fs::metadata(asked.join(name)) {
                Ok(metadata) if metadata.is_file() => found = found.or(Some((*name).to_string())),
                // EACCES is about the folder: a lookup in it needs its x permission.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(failed(asked, &error));
                }
                _ => {}
            }
        }
        Ok(root(Kind::Folder { index: found }))
    }

    /// Whether the file is in this folder, once symlinks are resolved.
    pub fn holds(&self, file: &Path) -> bool {
        // A path starts with itself, so this also holds for a single file.
        canonical_path(file).starts_with(canonical_path(&self.path))
    }

    /// Warnings, one line each: folders rarely meant to be served, and files rarely meant for
    /// others.
    pub fn warnings(&self, home: Option<&Path>) -> Vec<String> {
        if self.kind == Kind::File {
            return Vec::new();
        }
        let mut warnings = Vec::new();
        let path = shown(&self.path);
        let folder = canonical_path(&self.path);
        if folder.parent().is_none() {
            warnings.push(format!("the folder is {path}: all of this machine's files"));
        } else if home.is_some_and(|home| canonical_path(home) == folder) {
            warnings.push(format!(
                "the folder is the home folder {path}: all of a person's files"
            ));
        }
        let mut private = private_names(&self.path);
        if !private.is_empty() {
            let more = private.len().saturating_sub(NAMES_SHOWN);
            private.truncate(NAMES_SHOWN);
            let names = private.join(", ");
            let more = match more {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            warnings.push(format!(
                "the folder holds {names}{more}: is it the one to share?"
            ));
        }
        warnings
    }

    /// Warnings about files that the options name and this folder lacks: a misspelt name, or the
    /// wrong folder.
    pub fn missing(&self, options: &FileOptions) -> Vec<String> {
        let mut warnings = Vec::new();
        let Kind::Folder { index } = &self.kind else {
            return warnings;
        };
        if index.is_none() && !options.index.is_empty() {
            let names = escaped(&options.index.join(" or ")).into_owned();
            warnings.push(format!("the folder has no {names} (--index)"));
        }
        if let Some(page) = options.spa_page() {
            if !self.path.join(page).is_file() {
                warnings.push(format!("the folder has no {} (--spa)", escaped(page)));
            }
        }
        warnings
    }
}

pub fn failed(asked: &Path, error: &io::Error) -> CliError {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => no_such_folder(asked),
        io::ErrorKind::PermissionDenied => {
            let user = ["USER", "LOGNAME", "USERNAME"]
                .iter()
                .find_map(|name| std::env::var(name).ok())
                .filter(|name| !name.is_empty());
            error::folder_denied(asked, user.as_deref())
        }
        _ => error::folder_failed(asked, error),
    }
}

fn no_such_folder(asked: &Path) -> CliError {
    let parent = or_here(asked.parent());
    let near = asked
        .file_name()
        .and_then(|name| nearest_folder(parent, &name.to_string_lossy()))
        // Without the `.` that `parent` may add.
        .map(|name| asked.with_file_name(name));
    // The parent folder may be missing, too.
    let there = parent.ancestors().find(|folder| folder.is_dir());
    let looked_in = absolute_path(or_here(there));
    error::no_such_folder(asked, &looked_in, near.as_deref())
}

/// The folder in `parent` with a name similar to `name`, or else one that often holds a site.
fn nearest_folder(parent: &Path, name: &str) -> Option<String> {
    let folders: Vec<String> = entries(parent)
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    if let Some(found) = nearest(name, folders.iter().map(String::as_str)) {
        return Some(found.to_string());
    }
    let usual = USUAL.iter().find(|usual| parent.join(usual).is_dir())?;
    Some((*usual).to_string())
}

/// Names in the folder that are rarely meant for others, sorted: secrets and version control.
fn private_names(folder: &Path) -> Vec<String> {
    let private = |name: &str| {
        let name = name.to_lowercase();
        matches!(name.as_str(), ".env" | ".git" | "id_rsa")
            || name.ends_with(".pem")
            || name.ends_with(".key")
    };
    let mut names: Vec<String> = entries(folder)
        .map(|entry| shown(Path::new(&entry.file_name())))
        .filter(|name| private(name))
        .collect();
    names.sort();
    names
}

fn entries(folder: &Path) -> impl Iterator<Item = fs::DirEntry> {
    // A folder that cannot be listed can still be served, without hints.
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.take(ENTRIES_CHECKED).filter_map(Result::ok)
}

/// The absolute path. Symlinks keep their names, so that the folder is shown as its owner calls it;
/// only a path with `..` is resolved, because `..` depends on them.
fn absolute_path(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let upwards = absolute
        .components()
        .any(|part| part == Component::ParentDir);
    match upwards {
        true => canonical_path(&absolute),
        // Reassembled without a trailing slash.
        false => absolute.components().collect(),
    }
}

/// The absolute path with symlinks resolved, if possible: equal for equal folders.
fn canonical_path(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Id;

    struct Folder(PathBuf);

    impl Folder {
        fn with(test: &str, folders: &[&str], files: &[&str]) -> Folder {
            let name = format!("doorstep root {} {test}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(&path).unwrap();
            for name in folders {
                fs::create_dir_all(path.join(name)).unwrap();
            }
            for name in files {
                fs::write(path.join(name), "").unwrap();
            }
            Folder(absolute_path(&path))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn suggests_a_similar_folder() {
        let folder = Folder::with("near", &["dist", "docs", "assets", "a/public"], &["disk"]);
        let at =
            |name: &str| Root::at(&folder.0.join(name), &[]).map_err(|error| error.to_string());
        for (asked, near) in [
            ("dits", Some("dist")),
            ("Dist2", Some("dist")),
            ("asets", Some("assets")),
            ("public", Some("dist")),
            ("a/pubilc", Some("a/public")),
            ("b/public", None),
        ] {
            let error = at(asked).unwrap_err();
            let hint = near.map(|near| folder.0.join(near));
            let hint = hint.map(|hint| format!("  hint: did you mean '{}'?\n", hint.display()));
            let end = hint.as_deref().unwrap_or(")\n");
            assert!(error.ends_with(end), "{asked}: {error}");
        }
        let deep = at("b/c/d").unwrap_err();
        let looked_in = format!("(looked in {})", folder.0.display());
        assert!(deep.contains(&looked_in), "{deep}");
        assert_eq!(at("disk").unwrap().kind, Kind::File);
        assert_eq!(at("dist").unwrap().kind, Kind::Folder { index: None });
    }

    #[test]
    fn warns_of_folders_rarely_meant() {
        let folder = Folder::with(
            "warn",
            &[".git"],
            &["index.html", "id_rsa", "a.pem", "b.KEY", "monkey"],
        );
        let names = ["index.htm", "index.html", "monkey"];
        let root = Root::at(&folder.0, &names).unwrap();
        let index = Some("index.html".to_string());
        assert_eq!(root.kind, Kind::Folder { index });
        assert_eq!(
            root.warnings(Some(&folder.0)),
            [
                format!(
                    "the folder is the home folder {}: all of a person's files",
                    folder.0.display()
                ),
                "the folder holds .git, a.pem, b.KEY, id_rsa: is it the one to share?".to_string(),
            ]
        );
        assert_eq!(root.warnings(None).len(), 1);
        for name in ["1.pem", "2.pem", "3.pem"] {
            fs::write(folder.0.join(name), "").unwrap();
        }
        assert!(root.warnings(None)[0].contains(".git, 1.pem, 2.pem, 3.pem, a.pem and 2 more:"));

        let mut options = FileOptions::default();
        assert!(root.missing(&options).is_empty());
        options.set(Id::Index, Some("home.html"), None).unwrap();
        options.set(Id::Index, Some("start.html"), None).unwrap();
        options.set(Id::Spa, Some("app/x.html"), None).unwrap();
        let names = options.index_names();
        assert_eq!(
            Root::at(&folder.0, &names).unwrap().missing(&options),
            [
                "the folder has no home.html or start.html (--index)",
                "the folder has no app/x.html (--spa)",
            ]
        );
        fs::write(folder.0.join("start.html"), "").unwrap();
        options.set(Id::Spa, Some("start.html"), None).unwrap();
        let names = options.index_names();
        let missing = Root::at(&folder.0, &names).unwrap().missing(&options);
        assert_eq!(missing, [""; 0]);

        let page = Root::at(&folder.0.join("a.pem"), &[]).unwrap();
        assert!(page.warnings(None).is_empty() && page.missing(&options).is_empty());

        let quiet = Folder::with("quiet", &["css"], &["index.html"]);
        let warnings = Root::at(&quiet.0, &[]).unwrap().warnings(Some(&folder.0));
        assert_eq!(warnings, [""; 0]);
    }
}
