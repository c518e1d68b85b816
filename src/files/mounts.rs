//! Other folders below paths of their own.
//!
//! In: a resolved path. Out: whose it is, and what is left of it there. Never: octets that are still escaped; a comparison that ends
//! within a name.

use super::resolve::{PathError, Resolved, check_segment};
use super::{Files, Stats};
use std::borrow::Cow;

/// Folders and their paths: the decoded names, joined by `/`, no slash at either end. The longest path stands first.
#[derive(Debug, Default)]
pub(super) struct Mounts(Vec<(Vec<u8>, Files)>);

/// Whose a path is.
pub(super) enum Mounted<'m, 'a> {
    /// A folder's, and what it is below that.
    Below(&'m Files, Result<Resolved<'a>, PathError>),
    /// A folder's own, without the slash.
    WithoutSlash,
}

impl Mounts {
    pub(super) fn add(&mut self, path: &str, files: Files) {
        let path = path.trim_matches('/').as_bytes().to_vec();
        self.0.push((path, files));
        self.0
            .sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
    }

    /// What was counted, and what was counted here.
    pub(super) fn stats(&self, own: Stats) -> Stats {
        self.0.iter().fold(own, |sum, (_, files)| {
            let stats = files.stats();
            Stats {
                hits: sum.hits + stats.hits,
                misses: sum.misses + stats.misses,
                evictions: sum.evictions + stats.evictions,
            }
        })
    }

    /// Whose the path is, if it is not the root's.
    pub(super) fn find<'m, 'a>(&'m self, asked: &'a Resolved<'_>) -> Option<Mounted<'m, 'a>> {
        self.0.iter().find_map(|(path, files)| {
            // No name of a resolved path holds a slash, so the path ends where a name does if a slash follows it: `/docsX` and
            // `/docs../` are none of `/docs` (CVE-2018-19052, CVE-2025-58751).
            let below = match asked.path.strip_prefix(path.as_slice())? {
                // Mounted at the root, it has all that no longer path has.
                below if path.is_empty() => below,
                [] if !asked.slash => return Some(Mounted::WithoutSlash),
                [] => &[],
                [b'/', below @ ..] => below,
                _ => return None,
            };
            let resolved = Resolved {
                path: Cow::Borrowed(below),
                slash: asked.slash,
            };
            Some(Mounted::Below(files, judged(resolved, files)))
        })
    }
}

/// The path by the rules of the folder that it is in now: it was resolved by those of another.
fn judged<'a>(resolved: Resolved<'a>, files: &Files) -> Result<Resolved<'a>, PathError> {
    let rules = files.options.rules;
    let names = resolved.path.split(|&octet| octet == b'/').enumerate();
    // The root itself has no name.
    for (index, name) in names.filter(|_| !resolved.path.is_empty()) {
        check_segment(name, index == 0, rules)?;
    }
    Ok(resolved)
}
