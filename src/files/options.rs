//! The settings of a site, and what follows from them for one file. Nothing here looks at the file
//! system.

use super::media_types;
use super::resolve::PathRules;
use super::resource::hashed_name::carries_hash;
use crate::semantics::FieldError;
use crate::semantics::fields::valid_value;

/// How long a client may use a file without asking for it again (RFC 9111 §5.2.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum CacheControl {
    /// `no-cache`: kept, but revalidated each time, so that a client never shows a stale file. That
    /// is cheap: a client that has the file gets a 304 without a body.
    #[default]
    NoCache,
    /// `max-age`, in seconds: used for this long without asking.
    MaxAge(u32),
    /// `no-store`: not kept at all.
    NoStore,
}

/// The settings.
#[derive(Debug)]
pub struct Options {
    pub index: Vec<String>,
    pub spa: Option<String>,
    pub only: Option<Vec<u8>>,
    pub rules: PathRules,
    pub listing: bool,
    pub clean_urls: bool,
    /// Memory for small files, in bytes; with 0 no descriptors and no missing names are kept
    /// either.
    pub memory: usize,
    pub cache_control: CacheControl,
    pub immutable: bool,
    /// Names and extensions, with their types, in the order in which they were given.
    media_types: Vec<(String, String)>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            index: vec!["index.html".to_string(), "index.htm".to_string()],
            spa: None,
            only: None,
            rules: PathRules::default(),
            listing: true,
            clean_urls: true,
            memory: CACHE_BYTES,
            cache_control: CacheControl::default(),
            immutable: false,
            media_types: Vec::new(),
        }
    }
}

impl Options {
    /// Gives a name or an extension a type of the program's own.
    ///
    /// # Errors
    /// A header cannot have this value.
    pub fn add_media_type(&mut self, name: &str, media_type: &str) -> Result<(), FieldError> {
        if media_type.is_empty() || !valid_value(media_type.as_bytes()) {
            return Err(FieldError::Value);
        }
        let own = (name.to_string(), media_types::with_charset(media_type));
        self.media_types.push(own);
        Ok(())
    }

    /// The media type of a file, by its name: that which was given to the whole name, else to the
    /// longest extension, else the built-in one. Of equal ones the last counts.
    pub fn media_type(&self, path: &[u8]) -> &str {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let fits = self.media_types.iter().filter_map(|(own, media_type)| {
            let is_whole = own.as_bytes() == name;
            let extension = own.strip_prefix('.').unwrap_or(own).as_bytes();
            let (before, end) = name.split_at_checked(name.len().checked_sub(extension.len())?)?;
            let fits = before.ends_with(b".") && end.eq_ignore_ascii_case(extension);
            (is_whole || fits).then_some(((is_whole, extension.len()), media_type))
        });
        let own = fits.max_by_key(|&(rank, _)| rank);
        own.map_or_else(|| media_types::of(path), |(_, media_type)| media_type)
    }

    /// The Cache-Control of a listing, which changes whenever the folder does.
    pub fn cache_control_of_listing(&self) -> &'static str {
        match self.cache_control {
            CacheControl::NoStore => "no-store",
            CacheControl::NoCache | CacheControl::MaxAge(_) => "no-cache",
        }
    }

    /// The Cache-Control of a file, by its name. A file that may still be written to must not be
    /// declared immutable: a client would keep half of it for a year.
    pub fn cache_control(&self, path: &[u8], is_settled: bool) -> String {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        if self.immutable && is_settled && carries_hash(name) {
            return IMMUTABLE.to_string();
        }
        match self.cache_control {
            CacheControl::NoCache => "no-cache".to_string(),
            CacheControl::MaxAge(seconds) => format!("max-age={seconds}"),
            CacheControl::NoStore => "no-store".to_string(),
        }
    }
}

/// A year, the longest that RFC 2616 §14.21 allowed; RFC 8246 §2: no client asks again before that,
/// even when its user reloads the page.
const IMMUTABLE: &str = "max-age=31536000, immutable";
/// The memory for small files, unless [`Files::file_cache`](crate::Files::file_cache) says
/// otherwise.
pub const CACHE_BYTES: usize = 16 * 1024 * 1024;
