//! Sites that are mounted below a path of another site.

use super::resolve::Resolved;
use std::cmp::Reverse;

/// A site and its path: decoded names joined by `/`, no slash at either end.
#[derive(Debug)]
pub struct Mount<T> {
    path: Vec<u8>,
    pub site: T,
}

/// Where a path that a mount takes belongs.
pub enum Mounted<'m, T> {
    /// To the mount itself, asked for without its slash.
    WithoutSlash,
    /// To the site, which sees what follows the first `length` bytes of the path.
    Below { site: &'m T, length: usize },
}

impl<T> Mount<T> {
    /// Adds a site to the others. The longest path comes first.
    pub fn add(mounts: &mut Vec<Mount<T>>, path: &str, site: T) {
        let path = path.trim_matches('/').as_bytes().to_vec();
        mounts.push(Mount { path, site });
        mounts.sort_by_key(|mount| Reverse(mount.path.len()));
    }

    /// Takes a path at or below this mount.
    pub fn take(&self, asked: &Resolved<'_>) -> Option<Mounted<'_, T>> {
        // No name of a resolved path holds a slash, so the path ends where a name does if a slash
        // follows it: `/docsX` and `/docs../` are not below `/docs` (CVE-2018-19052,
        // CVE-2025-58751).
        let length = match asked.below_root().strip_prefix(self.path.as_slice())? {
            // Mounted at the root: takes whatever no longer path takes.
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
