//! Conditional requests: whether a request is to be performed, given what the client has
//! (RFC 9110 §13).
//!
//! This gives a verdict only. The caller writes the response, and [`range`](super::range) says
//! which parts a Range field asks for.

use super::etag::{self, EntityTag};
use super::{FieldName, Headers, Method, date};
use std::time::SystemTime;

/// The validators of the selected representation (RFC 9110 §8.8), as the response sends them.
#[derive(Clone, Copy, Debug)]
pub struct Validators<'a> {
    /// As the ETag field says; `None` without one.
    pub tag: Option<EntityTag<'a>>,
    /// Seconds since 1970, as the Last-Modified field says; `None` without one.
    pub modified: Option<u64>,
}

/// The verdict of a request's preconditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Perform the method.
    Proceed {
        /// Whether a Range field may be honoured: the method is GET, and no If-Range field speaks
        /// against it.
        range: bool,
    },
    /// 304 (RFC 9110 §15.4.5): the client has what it asks for.
    NotModified,
    /// 412 (RFC 9110 §15.5.13): do not perform the method.
    Failed,
}

/// Judges If-Match, If-None-Match, If-Modified-Since, If-Unmodified-Since and If-Range, in the
/// order of RFC 9110 §13.2.2.
///
/// There is a current representation, and `current` has its validators. RFC 9110 §13.2.1: "A server
/// MUST ignore all received preconditions if its response to the same request without those
/// conditions, prior to processing the request content, would have been a status code other than a
/// 2xx (Successful) or 412 (Precondition Failed)": so this is asked last. `now`, the wall time,
/// decides the century of a year of two digits.
pub fn evaluate(
    method: Method,
    headers: Headers<'_>,
    current: &Validators<'_>,
    now: SystemTime,
) -> Verdict {
    // RFC 9110 §14.2: "GET is the only method for which range handling is defined."
    let is_get = method == Method::Get;
    if !headers.has_any(&CONDITIONAL) || !selects(method) {
        return Verdict::Proceed { range: is_get };
    }
    let request = Request {
        headers,
        current,
        now,
    };
    let reads = is_get || method == Method::Head;
    // The steps of RFC 9110 §13.2.2, numbered as they are there. A field that is to be ignored
    // counts as not present.
    // 1. "When recipient is the origin server and If-Match is present, evaluate the If-Match
    // precondition": if false, respond 412.
    // 2. "When recipient is the origin server, If-Match is not present, and If-Unmodified-Since is
    // present, evaluate the If-Unmodified-Since precondition": if false, respond 412. Both, "unless
    // it can be determined that the state-changing request has already succeeded", which cannot be
    // determined here.
    let unchanged = request.if_match().or_else(|| request.if_unmodified_since());
    if unchanged == Some(false) {
        return Verdict::Failed;
    }
    // 3. "When If-None-Match is present, evaluate the If-None-Match precondition": "if true,
    // continue to step 5", "if false for GET/HEAD, respond 304 (Not Modified)", "if false for other
    // methods, respond 412 (Precondition Failed)".
    // 4. "When the method is GET or HEAD, If-None-Match is not present, and If-Modified-Since is
    // present, evaluate the If-Modified-Since precondition": "if false, respond 304 (Not
    // Modified)".
    match request.if_none_match() {
        Some(false) if !reads => return Verdict::Failed,
        Some(false) => return Verdict::NotModified,
        None if reads && request.if_modified_since() == Some(false) => return Verdict::NotModified,
        _ => {}
    }
    // 5. "When the method is GET and both Range and If-Range are present, evaluate the If-Range
    // precondition": "if true and the Range is applicable to the selected representation, respond
    // 206 (Partial Content)", "otherwise, ignore the Range header field and respond 200 (OK)".
    // `range` decides what is applicable.
    // 6. "Otherwise", "perform the requested method".
    Verdict::Proceed {
        range: is_get && request.if_range() != Some(false),
    }
}

const CONDITIONAL: [FieldName; 5] = [
    FieldName::IfMatch,
    FieldName::IfNoneMatch,
    FieldName::IfModifiedSince,
    FieldName::IfUnmodifiedSince,
    FieldName::IfRange,
];

/// Whether preconditions mean anything with the method. An unknown one may change something, and is
/// held to them.
///
/// RFC 9110 §13.2.1: "a server MUST ignore the conditional request header fields defined by this
/// specification when received with a request method that does not involve the selection or
/// modification of a selected representation, such as CONNECT, OPTIONS, or TRACE."
fn selects(method: Method) -> bool {
    !matches!(method, Method::Connect | Method::Options | Method::Trace)
}

/// The inputs of the conditions. Each condition returns whether it holds; `None` when its field is
/// absent or ignored.
struct Request<'a> {
    headers: Headers<'a>,
    current: &'a Validators<'a>,
    now: SystemTime,
}

impl<'a> Request<'a> {
    /// RFC 9110 §13.1.1: "An origin server MUST use the strong comparison function when comparing
    /// entity tags for If-Match".
    fn if_match(&self) -> Option<bool> {
        self.is_listed(FieldName::IfMatch, EntityTag::strong_eq)
    }

    /// RFC 9110 §13.1.2: "A recipient MUST use the weak comparison function when comparing entity
    /// tags for If-None-Match".
    fn if_none_match(&self) -> Option<bool> {
        self.is_listed(FieldName::IfNoneMatch, EntityTag::weak_eq)
            .map(|listed| !listed)
    }

    /// RFC 9110 §13.1.3: "If the selected representation's last modification date is earlier or
    /// equal to the date provided in the field value, the condition is false."
    fn if_modified_since(&self) -> Option<bool> {
        self.date_of(FieldName::IfModifiedSince)
            .and_then(|date| Some(self.current.modified? > date))
    }

    /// RFC 9110 §13.1.4: "If the selected representation's last modification date is earlier than
    /// or equal to the date provided in the field value, the condition is true."
    fn if_unmodified_since(&self) -> Option<bool> {
        self.date_of(FieldName::IfUnmodifiedSince)
            .and_then(|date| Some(self.current.modified? <= date))
    }

    /// RFC 9110 §13.1.5: "A server MUST ignore an If-Range header field received in a request that
    /// does not contain a Range header field." An invalid one is false: the client has no
    /// validator, and gets the whole.
    fn if_range(&self) -> Option<bool> {
        self.headers.known(FieldName::Range)?;
        let mut lines = self.headers.known_all(FieldName::IfRange);
        let value = lines.next()?;
        // "If-Range = entity-tag / HTTP-date": no list.
        Some(lines.next().is_none() && self.is_same_representation(value))
    }

    /// Whether the one validator of an If-Range field is the current one, in the strong sense.
    fn is_same_representation(&self, validator: &[u8]) -> bool {
        if let Some(tag) = EntityTag::parse(validator) {
            // RFC 9110 §13.1.5: "If the entity-tag validator provided exactly matches the ETag
            // field value for the selected representation using the strong comparison function
            // (Section 8.8.3.2), the condition is true."
            return self.current.tag.is_some_and(|this| this.strong_eq(&tag));
        }
        // RFC 9110 §13.1.5: "If the HTTP-date validator provided is not a strong validator in the
        // sense defined by Section 8.8.2.2, the condition is false." A representation whose tag is
        // weak may have changed within this second.
        let is_strong = self.current.tag.is_none_or(|this| !this.weak);
        // "If the HTTP-date validator provided exactly matches the Last-Modified field value for
        // the selected representation, the condition is true."
        let date = date::parse(validator, self.now);
        is_strong && date.is_some() && date == self.current.modified
    }

    /// Whether `*`, or a list that has the current tag, is the value of a field:
    /// `"*" / #entity-tag`. `None` without the field.
    ///
    /// A value that is neither lists nothing: an If-Match then fails, which loses no update, and an
    /// If-None-Match holds, so that the client gets the representation.
    fn is_listed(
        &self,
        field: FieldName,
        equal: fn(&EntityTag<'a>, &EntityTag<'_>) -> bool,
    ) -> Option<bool> {
        let first = self.headers.known(field)?;
        let lines = self.headers.known_all(field);
        // RFC 9110 §13.1.1: "If the field value is "*", the condition is true if the origin server
        // has a current representation". One that stands beside anything else, also on a second
        // line, is not the value.
        if first == b"*" {
            return Some(lines.count() == 1);
        }
        // RFC 9110 §5.3: lines of one name are one list.
        let found = lines.flat_map(etag::tags).try_fold(false, |found, tag| {
            let tag = tag?;
            Some(found || self.current.tag.is_some_and(|this| equal(&this, &tag)))
        });
        Some(found.unwrap_or(false))
    }

    /// The date that is the value of a field. RFC 9110 §13.1.4: "A recipient MUST ignore the
    /// If-Unmodified-Since header field if the received field value is not a valid HTTP-date
    /// (including when the field value appears to be a list of dates)"; so does RFC 9110 §13.1.3
    /// say of If-Modified-Since.
    fn date_of(&self, field: FieldName) -> Option<u64> {
        let mut lines = self.headers.known_all(field);
        let value = lines.next()?;
        match lines.next() {
            None => date::parse(value, self.now),
            Some(_) => None,
        }
    }
}
