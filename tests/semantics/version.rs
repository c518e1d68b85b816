//! Protocol versions.

use doorstep::Version;

// RFC 9110 §2.5
#[test]
fn versions_are_ordered_and_written() {
    let rows = [(Version::Http10, "HTTP/1.0"), (Version::Http11, "HTTP/1.1")];
    for (version, written) in rows {
        assert_eq!(version.as_str(), written);
        assert_eq!(version.to_string(), written);
    }
    assert!(Version::Http10 < Version::Http11);
}
