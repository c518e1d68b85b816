//! Which names carry a hash of the content, and which only look like it.

use doorstep::internals::files::hashed_name::carries_hash;
use proptest::prelude::*;

/// (the tool that writes it, name)
#[rustfmt::skip]
const HASHED: &[(&str, &str)] = &[
    ("webpack, 8 digits", "app.3f2a9c1b.js"),
    ("webpack, a chunk", "main.8f3a2b1c.chunk.js"),
    ("webpack, a bundle", "main.8f3a2b1c.bundle.js"),
    ("webpack, a chunk's map", "chunk-2d0e4c5f.1a2b3c4d.js.map"),
    ("webpack, 20 digits", "vendors.d8c7a3b1e0f94a2c5b6d.css"),
    ("Parcel", "index.1d9f4c2a.css"),
    ("rustdoc", "FiraSans-Regular-0fe48ade.woff2"),
    ("minified", "main.1e989742.min.js"),
    ("minified before it was hashed", "main.min.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.css"),
    ("gulp-rev", "unicorn-d41d8cd98f.css"),
    ("Django", "base.27e20196a850.css"),
    ("Angular, hexadecimal", "polyfills.0a1b2c3d4e5f6071.js"),
    ("Next.js", "main-1a2b3c4d5e6f7a8b.js"),
    ("Phoenix", "app-eb0a5b9302e8d32828d8a73f137cc8f0.js"),
    ("Sprockets", "application-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.css"),
    ("SHA-1", "logo-da39a3ee5e6b4b0d3255bfef95601890afd80709.svg"),
    ("behind an underscore", "app_3f2a9c1b.wasm"),
    ("a name with dashes and dots", "my-page.v2-3f2a9c1b.js"),
    ("Vite", "index-BkH3x9aQ.js"),
    ("Vite, with a dash and an underscore in it", "index-D_1x-9aQ.js"),
    ("Vite, an image", "hero-CtR7b0Zk.avif"),
    ("Astro", "about.Dx8QaT2b.css"),
    ("VitePress", "guide_start.md.B7xK0q3T.lean.js"),
    ("esbuild", "app-K3QXYZAB.js"),
    ("esbuild, a chunk's map", "chunk-7QXVN2LE.js.map"),
];

/// (why not, name)
#[rustfmt::skip]
const PLAIN: &[(&str, &str)] = &[
    ("nothing", ""),
    ("no extension", "3f2a9c1b"),
    ("no extension behind a dash", "app-3f2a9c1b"),
    ("nothing but an extension", ".js"),
    ("nothing but an extension and a map", ".js.map"),
    ("no hash", "styles.css"),
    ("an empty one", "styles-.css"),
    ("a version", "jquery-3.7.1.min.js"),
    ("a short version", "bootstrap-5.css"),
    ("a number", "chapter1.js"),
    ("a number, no extension", "chapter1"),
    ("a date", "bootstrap-20240101.css"),
    ("a camera's date", "IMG_20240101.jpg"),
    ("a camera's date and time", "IMG-20240101-WA0001.jpg"),
    ("a camera's number", "DSC00012.JPG"),
    ("a camera's number in small letters", "DSC00012.jpg"),
    ("a camera's number behind a name", "holiday-DSC00012.jpg"),
    ("a capital and a number", "book-Chapter1.png"),
    ("digits alone", "12345678.js"),
    ("digits alone behind a name", "photo-12345678.jpg"),
    ("letters alone", "a.deadbeef.css"),
    ("a word and a number in hexadecimal", "page-facade01.css"),
    ("a number and a word in hexadecimal", "page-2024beef.css"),
    ("seven digits", "app.3f2a9c1.js"),
    ("nine digits", "app.3f2a9c1b4.js"),
    ("24 digits, an identifier", "avatar-507f1f77bcf86cd799439011.png"),
    ("66 digits", "app.9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a0801.js"),
    ("a digit that is none", "app.3f2a9c1g.js"),
    ("both cases", "app.3f2A9c1bd0.js"),
    ("a hash alone", "3f2a9c1b.js"),
    ("a long hash alone", "eb0a5b9302e8d32828d8a73f137cc8f0.jpg"),
    ("a hash alone behind a dot", ".3f2a9c1b.js"),
    ("base64url alone", "BkH3x9aQ.js"),
    ("base64url alone behind a dash", "-BkH3x9aQ.js"),
    ("a UUID", "3f2a9c1b-5d6e-4f70-8a91-b2c3d4e5f607.png"),
    ("a UUID behind a name", "avatar-3f2a9c1b-5d6e-4f70-8a91-b2c3d4e5f607.png"),
    ("base64url without a digit", "index-BkHxXqaQ.js"),
    ("base64url without a capital behind its first", "index-Bkh3x9aq.js"),
    ("seven of base64url", "index-BkH3x9a.js"),
    ("nine of base64url", "index-BkH3x9aQ7.js"),
    ("base64url behind an underscore", "index_BkH3x9aQ.js"),
    ("not of base64url", "index-BkH3x9a+.js"),
    ("a year and a month", "photos-2024-Jan.jpg"),
    ("a year and a country", "map-2024-USA.png"),
    ("a size and a word", "theme-24-Light.css"),
    ("a version and a word", "icon-v10-Dark.png"),
    ("a version, a word and a number", "chart-v2-Top10.png"),
    ("quarters", "chart-Q1-Q2-Q3.png"),
    ("capitals and digits, not of base32", "scan-A1B2C3D4.png"),
    ("words and a number", "sprite-Run2Left.png"),
    ("a thing's name", "photo-SonyA7R3.jpg"),
    ("another thing's name", "photo-iPhone4S.jpg"),
    ("a document", "report-A1B2C3D4.pdf"),
    ("a document with a hash", "report-3f2a9c1b.pdf"),
    ("an archive", "backup-3f2a9c1b.zip"),
    ("data", "sensor-001a2b3c4d5e.json"),
    ("a page", "index-BkH3x9aQ.html"),
    ("a page with a hash", "index.3f2a9c1b.html"),
    ("a page that is short", "index.3f2a9c1b.htm"),
    ("a page's map, if there were one", "index.3f2a9c1b.html.map"),
    ("a hash that is followed by a word", "app.3f2a9c1b.final.js"),
    ("a hash that is followed by a name", "3f2a9c1b-app.js"),
    ("a folder's hash", "app.3f2a9c1b/index.js"),
    ("an extension in capitals", "app.3f2a9c1b.JS"),
    ("two maps", "app.3f2a9c1b.js.map.map"),
    ("no extension but a map", "app.3f2a9c1b.map"),
];

#[test]
fn a_hash_is_recognised() {
    for (who, name) in HASHED {
        assert!(carries_hash(name.as_bytes()), "{who}: {name}");
    }
}

#[test]
fn other_names_have_no_hash() {
    for (why, name) in PLAIN {
        assert!(!carries_hash(name.as_bytes()), "{why}: {name}");
    }
    assert!(!carries_hash(b"\xFF-\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF.js"));
}

/// A name with a hash of letters and digits, of a length that tools write, and not a word and a
/// number.
fn hashed() -> impl Strategy<Value = String> {
    let length = prop::sample::select(&[8_usize, 10, 12, 16, 20, 32, 40, 64][..]);
    (
        "[a-z][a-z0-9]{0,8}[-._]",
        length,
        "[0-9][a-f][0-9][0-9a-f]{61}",
    )
        .prop_map(|(name, length, digits)| format!("{name}{}", &digits[..length]))
}

proptest! {
    #[test]
    fn only_parts_of_pages_count(stem in hashed()) {
        for (behind, counts) in [
            (".js", true), (".css", true), (".js.map", true), (".min.css", true), (".woff2", true), ("", false),
            (".html", false), (".htm", false), (".xhtml", false), (".json", false), (".pdf", false), (".js.html", false),
        ] {
            let name = format!("{stem}{behind}");
            prop_assert_eq!(carries_hash(name.as_bytes()), counts, "{}", name);
        }
    }

    #[test]
    fn words_and_numbers_are_not_a_hash(
        pieces in prop::collection::vec("[a-z]{1,9}|[A-Z][a-z]{0,8}|[A-Z]{1,9}|[0-9]{1,9}|[A-Z]?[a-z]{1,8}[0-9]{1,3}", 1..4),
        separator in "[-._]",
    ) {
        let name = format!("{}.js", pieces.join(&separator));
        prop_assert!(!carries_hash(name.as_bytes()), "{}", name);
    }

    /// No bytes confuse it, and each hash that it finds has letters and digits.
    #[test]
    fn any_bytes_have_a_result(
        bytes in prop::collection::vec(prop::sample::select(&b"aA0-_./\xFF"[..]), 0..24),
        extension in "\\.(js|html|js\\.map|)",
    ) {
        let name = [&bytes[..], extension.as_bytes()].concat();
        if carries_hash(&name) {
            prop_assert!(bytes.contains(&b'0') && bytes.iter().any(u8::is_ascii_alphabetic));
            prop_assert!(extension.starts_with(".js"));
        }
    }
}
