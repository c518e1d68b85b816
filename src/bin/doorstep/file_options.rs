//! The options about files, and the [`Files`] service that they configure.

use crate::address::number;
use crate::error::{self, CliError};
use crate::options::Id;
use doorstep::{CacheControl, Files, Symlinks};
use std::io;
use std::path::{Path, PathBuf};

/// A year, the longest lifetime that RFC 2616 §14.21 allowed. Caches must understand 68 times that.
const CACHE_SECONDS_MAX: u64 = 365 * 86_400;

/// The options about files. `None` or empty means the library's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileOptions {
    pub index: Vec<String>,
    /// The page served for missing pages (single-page apps); if empty, the index.
    pub spa: Option<String>,
    pub hidden: bool,
    pub symlinks: Symlinks,
    pub no_listing: bool,
    pub no_clean_urls: bool,
    pub cache: CacheControl,
    pub immutable: bool,
    types: Vec<(String, String)>,
    file_cache: Option<usize>,
    portable_names: bool,
    pub mounts: Vec<Mount>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Not percent-encoded, with a slash before each name and none at the end.
    pub path: String,
    pub folder: PathBuf,
}

impl FileOptions {
    /// Sets one option; options that are not about files are ignored. `variable` is the environment
    /// variable that the value came from, if any.
    ///
    /// # Errors
    /// An invalid value.
    pub fn set(
        &mut self,
        id: Id,
        text: Option<&str>,
        variable: Option<&str>,
    ) -> Result<(), CliError> {
        let value = text.unwrap_or_default();
        let invalid = |kind, rule| error::invalid(kind, value, variable, rule);
        match id {
            Id::Index if is_name(value) => self.index.push(value.to_string()),
            Id::Index => {
                let rule = "must be the name of a file, without a slash";
                return Err(invalid("index", rule));
            }
            Id::Spa => {
                // Accept the page as a URL path or as a file name.
                let page = value.strip_prefix('/').unwrap_or(value);
                if text.is_some() && !page.split('/').all(is_name) {
                    let rule = "must be a file of the folder, such as app/index.html";
                    return Err(invalid("page", rule));
                }
                self.spa = Some(page.to_string());
            }
            Id::Hidden => self.hidden = true,
            Id::Symlinks => {
                self.symlinks = symlinks(value)
                    .ok_or_else(|| invalid("choice of symlinks", "must be inside, all or none"))?;
            }
            Id::NoListing => self.no_listing = true,
            Id::NoCleanUrls => self.no_clean_urls = true,
            Id::Cache => {
                self.cache = max_age(value)
                    .ok_or_else(|| invalid("cache time", "must be 0 to 31536000 seconds"))?;
            }
            Id::NoStore => self.cache = CacheControl::NoStore,
            Id::Immutable => self.immutable = true,
            Id::Mime => {
                let rule = "must be EXT=TYPE or NAME=TYPE, such as ts=text/plain";
                let pair = media_type(value).ok_or_else(|| invalid("media type", rule))?;
                self.types.push(pair);
            }
            Id::FileCache => {
                let rule = "must be a number of bytes, such as 0, 512K, 64M or 2G";
                let bytes = bytes(value).ok_or_else(|| invalid("file cache", rule))?;
                self.file_cache = Some(bytes);
            }
            Id::PortableNames => self.portable_names = true,
            Id::Mount => {
                let rule = "must be /PATH=DIR, such as /docs=../manual";
                let mount = mount(value).ok_or_else(|| invalid("mount", rule))?;
                self.add_mount(mount)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn add_mount(&mut self, mount: Mount) -> Result<(), CliError> {
        if self.mounts.iter().any(|other| other.path == mount.path) {
            return Err(error::mounted_twice(&mount.path));
        }
        self.mounts.push(mount);
        Ok(())
    }

    /// The names of index files, the library's default if none are set. Never empty.
    pub fn index_names(&self) -> Vec<&str> {
        match self.index.as_slice() {
            [] => vec!["index.html", "index.htm"],
            chosen => chosen.iter().map(String::as_str).collect(),
        }
    }

    /// The page of a single-page app, as a path below the root.
    pub fn spa_page(&self) -> Option<&str> {
        match self.spa.as_deref()? {
            "" => self.index_names().first().copied(),
            page => Some(page),
        }
    }

    /// The service for a folder.
    ///
    /// # Errors
    /// When the folder cannot be opened.
    pub fn files(&self, folder: &Path) -> io::Result<Files> {
        let mut files = Files::new(folder)?
            .index(self.index_names())
            .hidden(self.hidden)
            .symlinks(self.symlinks)
            .listing(!self.no_listing)
            .clean_urls(!self.no_clean_urls)
            .cache_control(self.cache)
            .immutable(self.immutable)
            .portable_names(self.portable_names);
        if let Some(page) = self.spa_page() {
            files = files.spa(page);
        }
        if let Some(bytes) = self.file_cache {
            files = files.file_cache(bytes);
        }
        for (extension, media_type) in &self.types {
            files = files
                .media_type(extension, media_type)
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        }
        Ok(files)
    }

    /// The service for one file at every path. The user named it, so it may start with a dot or be
    /// a symlink.
    ///
    /// # Errors
    /// When its folder cannot be opened.
    pub fn one_file(&self, file: &Path) -> io::Result<Files> {
        let name = file.file_name().ok_or(io::ErrorKind::NotFound)?;
        let files = self.files(or_here(file.parent()))?;
        Ok(files.symlinks(Symlinks::All).clean_urls(false).only(name))
    }

    /// Short notes on names, links and caching, for the banner.
    pub fn rules(&self) -> [String; 3] {
        let hidden = match self.hidden {
            true => "served",
            false => "not served",
        };
        let symlinks = match self.symlinks {
            Symlinks::Inside => "inside the folder only",
            Symlinks::All => "followed anywhere",
            Symlinks::None => "not followed",
        };
        let cache = match self.cache {
            CacheControl::MaxAge(seconds) => format!("for {seconds} s"),
            CacheControl::NoStore => "not stored".to_string(),
            _ => "revalidate".to_string(),
        };
        let hashed = match self.immutable {
            true => ", hashed names for a year",
            false => "",
        };
        [
            format!("hidden files: {hidden}"),
            format!("symlinks: {symlinks}"),
            format!("cache: {cache}{hashed}"),
        ]
    }
}

/// This folder, or the current one if there is none or its path is empty.
pub fn or_here(folder: Option<&Path>) -> &Path {
    let named = folder.filter(|folder| !folder.as_os_str().is_empty());
    named.unwrap_or(Path::new("."))
}

fn symlinks(text: &str) -> Option<Symlinks> {
    match text {
        "inside" => Some(Symlinks::Inside),
        "all" => Some(Symlinks::All),
        "none" => Some(Symlinks::None),
        _ => None,
    }
}

fn max_age(text: &str) -> Option<CacheControl> {
    let seconds = number(text, 0, CACHE_SECONDS_MAX)?;
    u32::try_from(seconds).ok().map(CacheControl::MaxAge)
}

/// Whether it is the name of a single file, without a path.
fn is_name(text: &str) -> bool {
    let separates = |c: char| c == '/' || std::path::is_separator(c) || c.is_control();
    !matches!(text, "" | "." | "..") && !text.contains(separates)
}

/// `/PATH=DIR`. Names starting with a dot would not be served, so they are refused here.
fn mount(text: &str) -> Option<Mount> {
    let (path, folder) = text.split_once('=')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let mut names = path.strip_prefix('/')?.split('/');
    let is_served = |name: &str| is_name(name) && !name.contains('\\') && !name.starts_with('.');
    (names.all(is_served) && !folder.is_empty()).then(|| Mount {
        path: path.to_string(),
        folder: PathBuf::from(folder),
    })
}

/// `EXT=TYPE`, the extension with or without its dot, or `NAME=TYPE`. The type is `type/subtype`,
/// optionally with parameters.
fn media_type(text: &str) -> Option<(String, String)> {
    let (name, media_type) = text.split_once('=')?;
    // RFC 9110 §8.3.1: `media-type = type "/" subtype parameters`, both tokens.
    let essence = media_type.split(';').next()?.trim_end();
    let (kind, subtype) = essence.split_once('/')?;
    let is_type = is_token(kind) && is_token(subtype) && !media_type.contains(char::is_control);
    (is_name(name) && is_type).then(|| (name.to_string(), media_type.to_string()))
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_sign)
}

/// A number of bytes, optionally in K, M or G: units of 1,024, as usual for memory.
fn bytes(text: &str) -> Option<usize> {
    let unit = text.chars().last()?.to_ascii_uppercase();
    let (digits, shift) = match unit {
        'K' => (text.split_at(text.len() - 1).0, 10),
        'M' => (text.split_at(text.len() - 1).0, 20),
        'G' => (text.split_at(text.len() - 1).0, 30),
        _ => (text, 0),
    };
    let count = number(digits, 0, u64::MAX >> shift)?;
    usize::try_from(count << shift).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(id: Id, text: Option<&str>) -> Result<FileOptions, String> {
        let mut options = FileOptions::default();
        let outcome = options.set(id, text, None);
        outcome.map_err(|error| error.to_string())?;
        Ok(options)
    }

    /// The option, its value and the error.
    #[rustfmt::skip]
    const INVALID: &[(Id, &str, &str)] = &[
        (Id::Index, "", "invalid index '' (must be the name of a file, without a slash)"),
        (Id::Index, "a/b", "invalid index 'a/b' (must be the name of a file, without a slash)"),
        (Id::Index, "..", "invalid index '..' (must be the name of a file, without a slash)"),
        (Id::Index, "a\n", "invalid index 'a\\n' (must be the name of a file, without a slash)"),
        (Id::Spa, "", "invalid page '' (must be a file of the folder, such as app/index.html)"),
        (Id::Spa, "/", "invalid page '/' (must be a file of the folder, such as app/index.html)"),
        (Id::Spa, "../x.html", "invalid page '../x.html' (must be a file of the folder, such as app/index.html)"),
        (Id::Spa, "//x.html", "invalid page '//x.html' (must be a file of the folder, such as app/index.html)"),
        (Id::Symlinks, "some", "invalid choice of symlinks 'some' (must be inside, all or none)"),
        (Id::Symlinks, "Inside", "invalid choice of symlinks 'Inside' (must be inside, all or none)"),
        (Id::Cache, "-1", "invalid cache time '-1' (must be 0 to 31536000 seconds)"),
        (Id::Cache, "31536001", "invalid cache time '31536001' (must be 0 to 31536000 seconds)"),
        (Id::Cache, "1h", "invalid cache time '1h' (must be 0 to 31536000 seconds)"),
        (Id::Mime, "ts", "invalid media type 'ts' (must be EXT=TYPE or NAME=TYPE, such as ts=text/plain)"),
        (Id::Mime, "=text/plain", "invalid media type '=text/plain' (must be EXT=TYPE or NAME=TYPE, such as ts=text/plain)"),
        (Id::Mime, "a/b=x/y", "invalid media type 'a/b=x/y' (must be EXT=TYPE or NAME=TYPE, such as ts=text/plain)"),
        (Id::Mime, "ts=text", "invalid media type 'ts=text' (must be EXT=TYPE or NAME=TYPE, such as ts=text/plain)"),
        (Id::Mime, "ts=/plain", "invalid media type 'ts=/plain' (must be EXT=TYPE or NAME=TYPE, such as ts=text/plain)"),
        (Id::Mime, "ts=text/", "invalid media type 'ts=text/' (must be EXT=TYPE or NAME=TYPE, such as ts=text/plain)"),
        (Id::Mime, "ts=text/plain/x", "invalid media type 'ts=text/plain/x' (must be EXT=TYPE or NAME=TYPE, such as ts=text/plain)"),
        (Id::Mime, "ts=text/plain;\n", "invalid media type 'ts=text/plain;\\n' (must be EXT=TYPE or NAME=TYPE, such as ts=text/plain)"),
        (Id::Mount, "", "invalid mount '' (must be /PATH=DIR, such as /docs=../manual)"),
        (Id::Mount, "docs=x", "invalid mount 'docs=x' (must be /PATH=DIR, such as /docs=../manual)"),
        (Id::Mount, "/docs", "invalid mount '/docs' (must be /PATH=DIR, such as /docs=../manual)"),
        (Id::Mount, "/docs=", "invalid mount '/docs=' (must be /PATH=DIR, such as /docs=../manual)"),
        (Id::Mount, "/=x", "invalid mount '/=x' (must be /PATH=DIR, such as /docs=../manual)"),
        (Id::Mount, "//docs=x", "invalid mount '//docs=x' (must be /PATH=DIR, such as /docs=../manual)"),
        (Id::Mount, "/a//b=x", "invalid mount '/a//b=x' (must be /PATH=DIR, such as /docs=../manual)"),
        (Id::Mount, "/a/../b=x", "invalid mount '/a/../b=x' (must be /PATH=DIR, such as /docs=../manual)"),
        (Id::Mount, "/.a=x", "invalid mount '/.a=x' (must be /PATH=DIR, such as /docs=../manual)"),
        (Id::FileCache, "", "invalid file cache '' (must be a number of bytes, such as 0, 512K, 64M or 2G)"),
        (Id::FileCache, "M", "invalid file cache 'M' (must be a number of bytes, such as 0, 512K, 64M or 2G)"),
        (Id::FileCache, "-1", "invalid file cache '-1' (must be a number of bytes, such as 0, 512K, 64M or 2G)"),
        (Id::FileCache, "1.5M", "invalid file cache '1.5M' (must be a number of bytes, such as 0, 512K, 64M or 2G)"),
        (Id::FileCache, "64MB", "invalid file cache '64MB' (must be a number of bytes, such as 0, 512K, 64M or 2G)"),
        (Id::FileCache, "20000000000G", "invalid file cache '20000000000G' (must be a number of bytes, such as 0, 512K, 64M or 2G)"),
        (Id::FileCache, "1é", "invalid file cache '1é' (must be a number of bytes, such as 0, 512K, 64M or 2G)"),
    ];

    #[test]
    fn rejects_invalid_values() {
        for (id, text, expected) in INVALID {
            let said = set(*id, Some(text));
            assert_eq!(said, Err(format!("doorstep: {expected}\n")), "{text:?}");
        }
    }

    #[test]
    fn reads_sizes() {
        for (text, size) in [
            ("0", 0),
            ("65536", 65_536),
            ("64K", 65_536),
            ("64k", 65_536),
            ("3M", 3 << 20),
            ("1G", 1 << 30),
            ("0g", 0),
        ] {
            assert_eq!(bytes(text), Some(size), "{text}");
        }
    }

    #[test]
    fn reads_media_types() {
        for (text, extension, expected) in [
            ("ts=text/plain", "ts", "text/plain"),
            (".TS=text/plain", ".TS", "text/plain"),
            ("LICENSE=text/html", "LICENSE", "text/html"),
            ("tar.gz=application/x-y", "tar.gz", "application/x-y"),
            ("x=text/x-y; charset=utf-8", "x", "text/x-y; charset=utf-8"),
            ("x=application/a+b;p=\"=\"", "x", "application/a+b;p=\"=\""),
        ] {
            let pair = (extension.to_string(), expected.to_string());
            assert_eq!(media_type(text), Some(pair), "{text}");
        }
    }

    #[test]
    fn reads_mounts() {
        for (text, path, folder) in [
            ("/docs=../manual", "/docs", "../manual"),
            ("/docs/=/srv/a=b", "/docs", "/srv/a=b"),
            ("/a b/c=d e", "/a b/c", "d e"),
        ] {
            let mounts = set(Id::Mount, Some(text)).unwrap().mounts;
            let (path, folder) = (path.to_string(), PathBuf::from(folder));
            assert_eq!(mounts, [Mount { path, folder }], "{text}");
        }
        let mut options = FileOptions::default();
        options.set(Id::Mount, Some("/docs=a"), None).unwrap();
        let twice = options.set(Id::Mount, Some("/docs/=b"), None).unwrap_err();
        let expected = "doorstep: two folders cannot both be mounted at '/docs'\n";
        assert_eq!(twice.to_string(), expected);
    }

    /// Without a value, the page is the index.
    #[test]
    fn the_spa_page_defaults_to_the_index() {
        let mut options = FileOptions::default();
        assert_eq!(options.spa_page(), None);
        options.set(Id::Spa, None, None).unwrap();
        assert_eq!(options.spa_page(), Some("index.html"));
        options.set(Id::Index, Some("home.html"), None).unwrap();
        assert_eq!(options.spa_page(), Some("home.html"));
        options.set(Id::Spa, Some("/app/index.html"), None).unwrap();
        assert_eq!(options.spa_page(), Some("app/index.html"));
    }

    #[test]
    fn rules_describe_the_options() {
        for (choices, expected) in [
            (
                &[][..],
                "hidden files: not served|symlinks: inside the folder only|cache: revalidate",
            ),
            (
                &[
                    (Id::Hidden, None),
                    (Id::Symlinks, Some("none")),
                    (Id::Cache, Some("60")),
                ],
                "hidden files: served|symlinks: not followed|cache: for 60 s",
            ),
            (
                &[(Id::Symlinks, Some("all")), (Id::NoStore, None)],
                "hidden files: not served|symlinks: followed anywhere|cache: not stored",
            ),
            (
                &[(Id::Immutable, None)],
                "hidden files: not served|symlinks: inside the folder only|cache: revalidate, hashed names for a year",
            ),
        ] {
            let mut options = FileOptions::default();
            for (id, value) in choices {
                options.set(*id, *value, None).unwrap();
            }
            assert_eq!(options.rules().join("|"), expected);
        }
    }
}
