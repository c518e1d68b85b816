//! Entity tags (RFC 9110 §8.8.3).

/// An entity tag as it stands in a field: the opaque part without quotes, and whether it is weak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntityTag<'a> {
    /** . */
    pub weak: bool,
    /** . */
    pub opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Parses exactly one entity tag.
    pub fn parse(octets: &'a [u8]) -> Option<EntityTag<'a>> {
        todo!()
    }
    /// RFC 9110 §8.8.3.2: both strong and equal.
    pub fn strong_eq(&self, other: &EntityTag<'_>) -> bool {
        todo!()
    }
    /// RFC 9110 §8.8.3.2: equal, weak or not.
    pub fn weak_eq(&self, other: &EntityTag<'_>) -> bool {
        todo!()
    }
}

/// Appends the strong tag of a file: quoted hexadecimal of its length and its modification time in nanoseconds.
pub fn push_file_tag(out: &mut Vec<u8>, length: u64, modified: std::time::SystemTime) {
    todo!()
}
