//! Other sites below paths of their own.

use super::resolve::Resolved;
use std::cmp::Reverse;

/// A site and its path: the decoded names, joined by `/`, no slash at either end.
#[derive(Debug)]
pub struct Mount<T> {
    path: Vec<u8>,
    pub site: T,
}

/// What a mount makes of a path that it takes.
pub enum Mounted<'m, T> {
    /// The mount itself was asked for without its slash.
    WithoutSlash,
    /// The site answers, for what follows the first `length` bytes of the path.
    Below { site: &'m T, length: usize },
}

impl<T> Mount<T> {
    /// Adds a site to the others. The longest path comes first.
    pub fn add(mounts: &mut Vec<Mount<T>>, path: &str, site: T) {
        let path = path.trim_matches('/').as_bytes().to_vec();
        mounts.push(Mount { path, site });
        mounts.sort_by_key(|mount| Reverse(mount.path.len()));
    }

    /// Takes a path that lies below this mount.
    pub fn take(&self, asked: &Resolved<'_>) -> Option<Mounted<'_, T>> {
        // No name of a resolved path holds a slash, so the path ends where a name does if a slash
        // follows it: `/docsX` and `/docs../` are not below `/docs` (CVE-2018-19052,
        // CVE-2025-58751).
        let length = match asked.below_root().strip_prefix(self.path.as_slice())? {
            // Mounted at the root, it has all that no longer path has.
            _ if self.path.is_empty() => 0,
            [] if !asked.slash => return Some(Mounted::WithoutSlash),
            [] => self.path.len(),
            [b'/', ..] => self.path.len() + 1,
            _ => return None,
        };
        let site = &self.site;
        Some(Mounted::Below { site, length })
    }
}
