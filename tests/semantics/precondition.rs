//! Preconditions, RFC 9110 §13: rows by section, and every combination of the five fields against a
//! model that follows the RFC's prose.

use crate::lines::with_headers;
use doorstep::internals::semantics::Method;
use doorstep::internals::semantics::etag::EntityTag;
use doorstep::internals::semantics::precondition::Verdict::{Failed, NotModified};
use doorstep::internals::semantics::precondition::{Validators, Verdict, evaluate};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// 1994-11-06 08:49:37, when the representation was last modified.
const MODIFIED: u64 = 784_111_777;
const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
const PART: Verdict = Verdict::Proceed { range: true };
const WHOLE: Verdict = Verdict::Proceed { range: false };

/// A name, the field lines of a GET, and what becomes of it when the tag is `"a"`.
type Row = (&'static str, Lines, Verdict);
type Lines = &'static [(&'static str, &'static str)];

#[rustfmt::skip]
const ROWS: &[Row] = &[
    ("no field", &[], PART),
    ("no field but a range", &[("Range", "bytes=0-1")], PART),

    ("RFC 9110 §13.1.1: the tag", &[("If-Match", "\"a\"")], PART),
    ("RFC 9110 §13.1.1: another", &[("If-Match", "\"b\"")], Failed),
    ("RFC 9110 §13.1.1: a name in another case", &[("IF-MATCH", "\"b\"")], Failed),
    ("RFC 9110 §13.1.1: case counts", &[("If-Match", "\"A\"")], Failed),
    ("RFC 9110 §13.1.1: weak is not strong", &[("If-Match", "W/\"a\"")], Failed),
    ("RFC 9110 §13.1.1: any", &[("If-Match", "*")], PART),
    ("RFC 9110 §13.1.1: the last of a list", &[("If-Match", "\"b\", W/\"a\",\t\"a\"")], PART),
    ("RFC 9110 §13.1.1: in none of a list", &[("If-Match", "\"b\", \"c\"")], Failed),
    ("RFC 9110 §13.1.1: on the second line", &[("If-Match", "\"b\""), ("If-Match", "\"a\"")], PART),
    ("RFC 9110 §13.1.1: empty members", &[("If-Match", ",, \"a\" ,")], PART),
    ("RFC 9110 §13.1.1: an empty list", &[("If-Match", "")], Failed),
    ("RFC 9110 §13.1.1: commas inside a tag", &[("If-Match", "\"b,\", \",\", \"a\"")], PART),
    ("RFC 9110 §13.1.1: part of a tag", &[("If-Match", "\"b,\"a\",c\"")], Failed),
    ("RFC 9110 §13.1.1: no quotes", &[("If-Match", "a")], Failed),
    ("RFC 9110 §13.1.1: an invalid member after the tag", &[("If-Match", "\"a\", b")], Failed),
    ("RFC 9110 §13.1.1: an invalid member on another line", &[("If-Match", "\"a\""), ("If-Match", "b")], Failed),
    ("RFC 9110 §13.1.1: no comma between two", &[("If-Match", "\"a\" \"b\"")], Failed),
    ("RFC 9110 §13.1.1: any in a list", &[("If-Match", "*, \"a\"")], Failed),
    ("RFC 9110 §13.1.1: any after the tag", &[("If-Match", "\"a\", *")], Failed),
    ("RFC 9110 §13.1.1: any twice", &[("If-Match", "*, *")], Failed),
    ("RFC 9110 §13.1.1: any on two lines", &[("If-Match", "*"), ("If-Match", "*")], Failed),
    ("RFC 9110 §13.1.1: any, quoted, is a tag", &[("If-Match", "\"*\"")], Failed),

    ("RFC 9110 §13.1.2: the tag", &[("If-None-Match", "\"a\"")], NotModified),
    ("RFC 9110 §13.1.2: another", &[("If-None-Match", "\"b\"")], PART),
    ("RFC 9110 §13.1.2: weak is enough", &[("If-None-Match", "W/\"a\"")], NotModified),
    ("RFC 9110 §13.1.2: any", &[("If-None-Match", "*")], NotModified),
    ("RFC 9110 §13.1.2: the last of a list", &[("If-None-Match", "\"b\", W/\"c\",\t\"a\"")], NotModified),
    ("RFC 9110 §13.1.2: in none of a list", &[("If-None-Match", "\"b\", \"c\"")], PART),
    ("RFC 9110 §13.1.2: on the second line", &[("If-None-Match", "\"b\""), ("If-None-Match", "\"a\"")], NotModified),
    ("RFC 9110 §13.1.2: commas inside a tag", &[("If-None-Match", "\"x,y\", \"a\"")], NotModified),
    ("RFC 9110 §13.1.2: the tag inside another", &[("If-None-Match", "\"b,a,c\"")], PART),
    ("RFC 9110 §13.1.2: an invalid member after the tag", &[("If-None-Match", "\"a\", b")], PART),
    ("RFC 9110 §13.1.2: any in a list", &[("If-None-Match", "*, \"a\"")], PART),
    ("RFC 9110 §13.1.2: any on two lines", &[("If-None-Match", "*"), ("If-None-Match", "*")], PART),
    ("RFC 9110 §13.1.2: quotes that do not end", &[("If-None-Match", "\"a")], PART),

    ("RFC 9110 §13.1.3: the same second", &[("If-Modified-Since", SAME)], NotModified),
    ("RFC 9110 §13.1.3: a second earlier", &[("If-Modified-Since", EARLIER)], PART),
    ("RFC 9110 §13.1.3: a second later", &[("If-Modified-Since", LATER)], NotModified),
    ("RFC 9110 §13.1.3: in the future", &[("If-Modified-Since", "Fri, 31 Dec 9999 23:59:59 GMT")], NotModified),
    ("RFC 9110 §13.1.3: with two digits of a year", &[("If-Modified-Since", "Sunday, 06-Nov-94 08:49:37 GMT")], NotModified),
    ("RFC 9110 §13.1.3: without a zone", &[("If-Modified-Since", "Sun Nov  6 08:49:37 1994")], NotModified),
    ("RFC 9110 §13.1.3: more than one member", &[("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT")], PART),
    ("RFC 9110 §13.1.3: on two lines", &[("If-Modified-Since", SAME), ("If-Modified-Since", SAME)], PART),
    ("CVE-2015-9242: empty", &[("If-Modified-Since", "")], PART),
    ("CVE-2020-25691: digits alone", &[("If-Modified-Since", "9999999999")], PART),
    ("CVE-2020-25691: the year 10000", &[("If-Modified-Since", "Sat, 01 Jan 10000 00:00:00 GMT")], PART),
    ("CVE-2020-25691: before 1970", &[("If-Modified-Since", "Wed, 31 Dec 1969 23:59:59 GMT")], PART),
    ("CVE-2020-25691: after a date", &[("If-Modified-Since", "Sun, 06 Nov 1994 08:49:37 GMT; length=5")], PART),

    ("RFC 9110 §13.1.4: the same second", &[("If-Unmodified-Since", SAME)], PART),
    ("RFC 9110 §13.1.4: a second earlier", &[("If-Unmodified-Since", EARLIER)], Failed),
    ("RFC 9110 §13.1.4: a second later", &[("If-Unmodified-Since", LATER)], PART),
    ("RFC 9110 §13.1.4: a list of dates", &[("If-Unmodified-Since", "Sun, 06 Nov 1994 08:49:36 GMT, Sun, 06 Nov 1994 08:49:36 GMT")], PART),
    ("RFC 9110 §13.1.4: on two lines", &[("If-Unmodified-Since", EARLIER), ("If-Unmodified-Since", EARLIER)], PART),
    ("RFC 9110 §13.1.4: empty", &[("If-Unmodified-Since", "")], PART),
    ("RFC 9110 §13.1.4: the year 10000", &[("If-Unmodified-Since", "Sat, 01 Jan 10000 00:00:00 GMT")], PART),

    ("RFC 9110 §13.1.5: the tag", &[("Range", "bytes=0-1"), ("If-Range", "\"a\"")], PART),
    ("RFC 9110 §13.1.5: another", &[("Range", "bytes=0-1"), ("If-Range", "\"b\"")], WHOLE),
    ("RFC 9110 §13.1.5: a weak tag", &[("Range", "bytes=0-1"), ("If-Range", "W/\"a\"")], WHOLE),
    ("RFC 9110 §13.1.5: a list", &[("Range", "bytes=0-1"), ("If-Range", "\"a\", \"b\"")], WHOLE),
    ("RFC 9110 §13.1.5: any", &[("Range", "bytes=0-1"), ("If-Range", "*")], WHOLE),
    ("RFC 9110 §13.1.5: the same second", &[("Range", "bytes=0-1"), ("If-Range", SAME)], PART),
    ("RFC 9110 §13.1.5: another form of it", &[("Range", "bytes=0-1"), ("If-Range", "Sunday, 06-Nov-94 08:49:37 GMT")], PART),
    ("RFC 9110 §13.1.5: a second later is no match", &[("Range", "bytes=0-1"), ("If-Range", LATER)], WHOLE),
    ("RFC 9110 §13.1.5: a second earlier", &[("Range", "bytes=0-1"), ("If-Range", EARLIER)], WHOLE),
    ("RFC 9110 §13.1.5: neither tag nor date", &[("Range", "bytes=0-1"), ("If-Range", "a")], WHOLE),
    ("RFC 9110 §13.1.5: empty", &[("Range", "bytes=0-1"), ("If-Range", "")], WHOLE),
    ("RFC 9110 §13.1.5: on two lines", &[("Range", "bytes=0-1"), ("If-Range", "\"a\""), ("If-Range", "\"a\"")], WHOLE),
    ("RFC 9110 §13.1.5: without a range", &[("If-Range", "\"b\"")], PART),

    ("RFC 9110 §13.2.2: a tag that holds hides a date that does not", &[("If-Unmodified-Since", EARLIER), ("If-Match", "\"a\"")], PART),
    ("RFC 9110 §13.2.2: a date that holds is no help", &[("If-Unmodified-Since", LATER), ("If-Match", "\"b\"")], Failed),
    ("RFC 9110 §13.2.2: another tag hides a date", &[("If-Modified-Since", SAME), ("If-None-Match", "\"b\"")], PART),
    ("RFC 9110 §13.2.2: an invalid list hides a date", &[("If-None-Match", "b"), ("If-Modified-Since", SAME)], PART),
    ("RFC 9110 §13.2.2: an empty list hides a date", &[("If-None-Match", ""), ("If-Modified-Since", SAME)], PART),
    ("RFC 9110 §13.2.2: the tag is enough", &[("If-Modified-Since", EARLIER), ("If-None-Match", "\"a\"")], NotModified),
    ("RFC 9110 §13.2.2: failed before not modified", &[("If-None-Match", "\"a\""), ("If-Match", "\"b\"")], Failed),
    ("RFC 9110 §13.2.2: failed before not modified, by dates", &[("If-Modified-Since", SAME), ("If-Unmodified-Since", EARLIER)], Failed),
    ("RFC 9110 §13.2.2: both hold", &[("If-None-Match", "\"b\""), ("If-Match", "\"a\"")], PART),
    ("RFC 9110 §13.2.2: not modified before a range", &[("Range", "bytes=0-1"), ("If-Range", "\"a\""), ("If-None-Match", "\"a\"")], NotModified),
    ("RFC 9110 §13.2.2: all of them", &[
        ("If-Match", "\"a\""), ("If-Unmodified-Since", EARLIER), ("If-None-Match", "\"b\""), ("If-Modified-Since", SAME),
        ("Range", "bytes=0-1"), ("If-Range", SAME)], PART),
];

#[test]
fn each_field_and_pairs_of_them() {
    for &(name, lines, expected) in ROWS {
        assert_eq!(judge(Method::Get, lines, &current()), expected, "{name}");
        // RFC 9110 §14.2: GET alone has ranges; else HEAD is as GET.
        let head = match expected {
            Verdict::Proceed { .. } => WHOLE,
            verdict => verdict,
        };
        assert_eq!(judge(Method::Head, lines, &current()), head, "HEAD: {name}");
    }
}

// RFC 9110 §13.2.1, RFC 9110 §13.2.2
#[test]
fn other_methods() {
    let put = Method::Put;
    let own = Method::from_token(b"BREW").expect("a token");
    #[rustfmt::skip]
    let rows: &[(&str, Method, Lines, Verdict)] = &[
        ("nothing", put, &[], WHOLE),
        ("a range alone", put, &[("Range", "bytes=0-1")], WHOLE),
        ("a tag that holds", put, &[("If-Match", "\"a\"")], WHOLE),
        ("a tag that does not", put, &[("If-Match", "\"b\"")], Failed),
        ("a date that does not", put, &[("If-Unmodified-Since", EARLIER)], Failed),
        ("none may be there", put, &[("If-None-Match", "*")], Failed),
        ("the tag is there", Method::Delete, &[("If-None-Match", "\"a\"")], Failed),
        ("If-Modified-Since is of GET and HEAD", Method::Post, &[("If-Modified-Since", SAME)], WHOLE),
        ("If-Range is of GET", put, &[("Range", "bytes=0-1"), ("If-Range", "\"a\"")], WHOLE),
        ("a method that nobody knows may change something", own, &[("If-Match", "\"b\"")], Failed),
        ("OPTIONS selects nothing", Method::Options, &[("If-Match", "\"b\"")], WHOLE),
        ("TRACE selects nothing", Method::Trace, &[("If-None-Match", "*")], WHOLE),
        ("CONNECT selects nothing", Method::Connect, &[("If-Unmodified-Since", EARLIER)], WHOLE),
    ];
    for &(name, method, lines, expected) in rows {
        assert_eq!(judge(method, lines, &current()), expected, "{name}");
    }
}

// RFC 9110 §8.8.2.2, RFC 9110 §8.8.3.2, RFC 9110 §13.1.3, RFC 9110 §13.1.4
#[test]
fn other_validators() {
    let weak = Validators {
        tag: EntityTag::parse(b"W/\"a\""),
        ..current()
    };
    let dated = Validators {
        tag: None,
        ..current()
    };
    let tagged = Validators {
        modified: None,
        ..current()
    };
    let first = Validators {
        modified: Some(0),
        ..current()
    };
    #[rustfmt::skip]
    let rows: &[(&str, Validators<'_>, Lines, Verdict)] = &[
        ("weak: If-Match never", weak, &[("If-Match", "W/\"a\"")], Failed),
        ("weak: If-Match never, strong or not", weak, &[("If-Match", "\"a\"")], Failed),
        ("weak: any", weak, &[("If-Match", "*")], PART),
        ("weak: If-None-Match", weak, &[("If-None-Match", "\"a\"")], NotModified),
        ("weak: If-None-Match, both", weak, &[("If-None-Match", "W/\"a\"")], NotModified),
        ("weak: If-Range never", weak, &[("Range", "bytes=0-1"), ("If-Range", "W/\"a\"")], WHOLE),
        ("weak: nor by a date, which is as weak", weak, &[("Range", "bytes=0-1"), ("If-Range", SAME)], WHOLE),
        ("weak: nor by nothing", weak, &[("Range", "bytes=0-1")], PART),
        ("no tag: If-Match", dated, &[("If-Match", "\"a\"")], Failed),
        ("no tag: any", dated, &[("If-Match", "*")], PART),
        ("no tag: If-None-Match", dated, &[("If-None-Match", "\"a\""), ("If-Modified-Since", SAME)], PART),
        ("no tag: none may be there", dated, &[("If-None-Match", "*")], NotModified),
        ("no tag: If-Range by tag", dated, &[("Range", "bytes=0-1"), ("If-Range", "\"a\"")], WHOLE),
        ("no tag: If-Range by date", dated, &[("Range", "bytes=0-1"), ("If-Range", SAME)], PART),
        ("no date: If-Modified-Since is ignored", tagged, &[("If-Modified-Since", LATER)], PART),
        ("no date: If-Unmodified-Since is ignored", tagged, &[("If-Unmodified-Since", EARLIER)], PART),
        ("no date: If-Range by date", tagged, &[("Range", "bytes=0-1"), ("If-Range", SAME)], WHOLE),
        ("no date: If-Range by neither", tagged, &[("Range", "bytes=0-1"), ("If-Range", "yesterday")], WHOLE),
        ("the first second: If-Modified-Since", first, &[("If-Modified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")], NotModified),
        ("the first second: If-Unmodified-Since", first, &[("If-Unmodified-Since", "Thu, 01 Jan 1970 00:00:00 GMT")], PART),
    ];
    for (name, validators, lines, expected) in rows {
        assert_eq!(judge(Method::Get, lines, validators), *expected, "{name}");
    }
}

#[test]
fn long_fields_are_ignored_in_one_pass() {
    let long = "9".repeat(8 * 1024);
    let tags = "\"x\",".repeat(2 * 1024);
    for (name, field, value, expected) in [
        ("CVE-2015-9242: 8 KiB", "If-Modified-Since", &long, PART),
        ("CVE-2015-9242: 8 KiB", "If-Unmodified-Since", &long, PART),
        ("CVE-2015-9242: 8 KiB", "If-None-Match", &long, PART),
        ("8 KiB of tags", "If-None-Match", &tags, PART),
        ("8 KiB of tags", "If-Match", &tags, Failed),
    ] {
        let lines = [(field, value.as_str())];
        assert_eq!(
            judge(Method::Get, &lines, &current()),
            expected,
            "{name}: {field}"
        );
    }
}

/// The fields in the order of their precedence, each with values and what each says.
#[test]
fn every_combination_is_as_the_prose_says() {
    let tags = [
        (&[][..], Tags::Absent),
        (&["*"][..], Tags::Any),
        (&["\"a\""][..], Tags::List(&[(false, "a")])),
        (
            &["W/\"a\", \"b\""][..],
            Tags::List(&[(true, "a"), (false, "b")]),
        ),
        (
            &["\"b\"", "\"c\""][..],
            Tags::List(&[(false, "b"), (false, "c")]),
        ),
        (&["\"a\", *"][..], Tags::Invalid),
    ];
    let dates = [
        (&[][..], None),
        (&[SAME][..], Some(MODIFIED)),
        (&[EARLIER][..], Some(MODIFIED - 1)),
        (&[LATER][..], Some(MODIFIED + 1)),
        (&[SAME, SAME][..], None),
    ];
    let ranges = [
        (&[][..], IfRange::Absent),
        (&["\"a\""][..], IfRange::Tag(false, "a")),
        (&["W/\"a\""][..], IfRange::Tag(true, "a")),
        (&["\"b\""][..], IfRange::Tag(false, "b")),
        (&[SAME][..], IfRange::Date(MODIFIED)),
        (&[LATER][..], IfRange::Date(MODIFIED + 1)),
        (&["a"][..], IfRange::Invalid),
    ];
    let validators = [
        (Some((false, "a")), Some(MODIFIED)),
        (Some((true, "a")), Some(MODIFIED)),
        (None, Some(MODIFIED)),
        (Some((false, "a")), None),
    ];
    let methods = [Method::Get, Method::Head, Method::Put, Method::Options];
    let mut combinations = 0;
    for (if_match, match_says) in tags {
        for (if_none_match, none_match_says) in tags {
            for (if_unmodified, unmodified_says) in dates {
                for (if_modified, modified_says) in dates {
                    for (if_range, range_says) in ranges {
                        let mut lines = Vec::new();
                        // The first to be judged comes last, so that no order of lines is relied
                        // on.
                        for (field, values) in [
                            ("If-Range", if_range),
                            ("If-Modified-Since", if_modified),
                            ("If-None-Match", if_none_match),
                            ("If-Unmodified-Since", if_unmodified),
                            ("If-Match", if_match),
                            ("Range", &["bytes=0-1"][..combinations % 2]),
                        ] {
                            lines.extend(values.iter().map(|&value| (field, value)));
                        }
                        let says = Says {
                            if_match: match_says,
                            if_none_match: none_match_says,
                            if_unmodified_since: unmodified_says,
                            if_modified_since: modified_says,
                            if_range: range_says,
                            has_range: combinations % 2 == 1,
                        };
                        let (tag, modified) = validators[combinations / 2 % validators.len()];
                        let octets = tag.map(|(weak, opaque)| {
                            format!("{}\"{opaque}\"", if weak { "W/" } else { "" })
                        });
                        let current = Validators {
                            tag: octets
                                .as_ref()
                                .and_then(|octets| EntityTag::parse(octets.as_bytes())),
                            modified,
                        };
                        for method in methods {
                            let found = judge(method, &lines, &current);
                            let expected = says.verdict(method, tag, modified);
                            assert_eq!(found, expected, "{method} {current:?} {lines:?}");
                        }
                        combinations += 1;
                    }
                }
            }
        }
    }
    // There are odd numbers of dates and of If-Range fields, so each of them meets all validators,
    // with a range and without.
    assert_eq!(combinations, 6 * 6 * 5 * 5 * 7);
}

type Tag = (bool, &'static str);

#[derive(Clone, Copy)]
enum Tags {
    Absent,
    Any,
    List(&'static [Tag]),
    Invalid,
}

#[derive(Clone, Copy)]
enum IfRange {
    Absent,
    Tag(bool, &'static str),
    Date(u64),
    Invalid,
}

/// What the fields of a request say; a date that is to be ignored is none.
struct Says {
    if_match: Tags,
    if_none_match: Tags,
    if_unmodified_since: Option<u64>,
    if_modified_since: Option<u64>,
    if_range: IfRange,
    has_range: bool,
}

impl Says {
    /// RFC 9110 §13.2.2 as it is written, with the evaluation that each of RFC 9110 §13.1.1 to
    /// §13.1.5 gives.
    fn verdict(&self, method: Method, tag: Option<Tag>, modified: Option<u64>) -> Verdict {
        let is_get = method == Method::Get;
        let get_or_head = is_get || method == Method::Head;
        if method == Method::Options {
            return WHOLE;
        }
        let strong = |listed: &Tag| {
            tag.is_some_and(|(weak, opaque)| !weak && !listed.0 && opaque == listed.1)
        };
        let weak = |listed: &Tag| tag.is_some_and(|(_, opaque)| opaque == listed.1);
        // "1. When recipient is the origin server and If-Match is present, evaluate the If-Match
        // precondition".
        let if_match = match self.if_match {
            Tags::Absent => None,
            Tags::Any => Some(true),
            Tags::List(tags) => Some(tags.iter().any(strong)),
            Tags::Invalid => Some(false),
        };
        if if_match == Some(false) {
            return Failed;
        }
        // "2. When recipient is the origin server, If-Match is not present, and If-Unmodified-Since
        // is present".
        if let (None, Some(date), Some(modified)) = (if_match, self.if_unmodified_since, modified) {
            let earlier_or_equal = modified <= date;
            if !earlier_or_equal {
                return Failed;
            }
        }
        // "3. When If-None-Match is present, evaluate the If-None-Match precondition".
        let if_none_match = match self.if_none_match {
            Tags::Absent => None,
            Tags::Any => Some(false),
            Tags::List(tags) => Some(!tags.iter().any(weak)),
            Tags::Invalid => Some(true),
        };
        if if_none_match == Some(false) {
            return if get_or_head { NotModified } else { Failed };
        }
        // "4. When the method is GET or HEAD, If-None-Match is not present, and If-Modified-Since
        // is present".
        if let (true, None, Some(date), Some(modified)) =
            (get_or_head, if_none_match, self.if_modified_since, modified)
        {
            let earlier_or_equal = modified <= date;
            if earlier_or_equal {
                return NotModified;
            }
        }
        // "5. When the method is GET and both Range and If-Range are present".
        let unchanged = match self.if_range {
            IfRange::Absent => true,
            IfRange::Tag(weak, opaque) => strong(&(weak, opaque)),
            IfRange::Date(date) => modified == Some(date) && !tag.is_some_and(|(weak, _)| weak),
            IfRange::Invalid => false,
        };
        Verdict::Proceed {
            range: is_get && (unchanged || !self.has_range),
        }
    }
}

fn judge(method: Method, lines: &[(&str, &str)], current: &Validators<'_>) -> Verdict {
    with_headers(lines, |headers| evaluate(method, headers, current, now()))
}

fn current() -> Validators<'static> {
    Validators {
        tag: EntityTag::parse(b"\"a\""),
        modified: Some(MODIFIED),
    }
}

/// In 2026, so that the year 94 is 1994.
fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}
