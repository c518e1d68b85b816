//! Which requests are known to compute: what each measured call says, and what becomes of it.

use doorstep::internals::server::computing::{COMPUTING_MAX, Call, Computing, LONG_CALL, LOOKUPS};
use doorstep::internals::sys::Usage;
use std::time::Duration;

const MS: Duration = Duration::from_millis(1);
const NEARLY: Duration = Duration::from_nanos(1_999_999);

#[test]
fn what_a_call_was() {
    assert_eq!(LONG_CALL, 2 * MS);
    for (took, time, waits, call) in [
        (Duration::ZERO, Duration::ZERO, 0, Call::Quick),
        (NEARLY, NEARLY, 0, Call::Quick),
        (2 * MS, 2 * MS, 0, Call::Computed),
        // Slept.
        (2 * MS, Duration::ZERO, 1, Call::Waited),
        (50 * MS, MS, 1, Call::Waited),
        // Waited for a processor only, however long.
        (500 * MS, 10 * MS, 0, Call::Computed),
        (500 * MS, NEARLY, 0, Call::Waited),
        // Waited for a lock now and then, and computed two thirds of the time.
        (15 * MS, 10 * MS, 7, Call::Computed),
        (15 * MS + MS / 1000, 10 * MS, 7, Call::Waited),
    ] {
        assert_eq!(
            Call::of(took, Usage { time, waits }),
            call,
            "{took:?} {time:?} {waits}"
        );
    }
}

/// The table after these calls of one request.
fn after(calls: &[(Call, usize)]) -> Computing {
    let table = Computing::new(1);
    table.look_up_more();
    for (call, times) in calls {
        for _ in 0..*times {
            table.learn(table.lookup("GET", "/"), *call);
        }
    }
    table
}

#[test]
fn what_the_calls_add_up_to() {
    use Call::{Computed, Quick, Waited};
    for (calls, computes) in [
        (&[][..], false),
        (&[(Computed, 1)], true),
        (&[(Waited, 1), (Computed, 4)], false),
        (&[(Waited, 1), (Computed, 5)], true),
        // However long it has waited before, or computed.
        (&[(Waited, 1_000), (Computed, 7)], false),
        (&[(Waited, 1_000), (Computed, 8)], true),
        (&[(Computed, 1_000), (Waited, 1)], true),
        (&[(Computed, 1_000), (Waited, 2)], false),
        (&[(Computed, 1), (Quick, 1)], false),
        (&[(Quick, 7), (Computed, 7)], false),
        (&[(Quick, 7), (Computed, 8)], true),
    ] {
        let found = after(calls).lookup("GET", "/");
        assert_eq!(
            (found.is_known(), found.computes()),
            (!calls.is_empty(), computes),
            "{calls:?}"
        );
    }
    // Quick calls end what is known, and then nothing is looked up.
    for calls in [
        &[(Quick, 8)][..],
        &[(Waited, 9), (Quick, 1)],
        &[(Computed, 9), (Quick, 15)],
    ] {
        let table = after(calls);
        // The rest of those that were to be looked up.
        let left = (0..LOOKUPS).take_while(|_| !table.is_idle());
        let found = left.map(|_| table.lookup("GET", "/")).collect::<Vec<_>>();
        assert!(found.iter().all(|found| !found.is_known()), "{calls:?}");
        assert!(table.is_idle(), "{calls:?}");
    }
}

#[test]
fn nothing_is_looked_up_until_a_call_took_long() {
    let table = Computing::new(1);
    assert!(table.is_idle());
    table.look_up_more();
    for _ in 0..LOOKUPS {
        assert!(!table.is_idle());
        table.lookup("GET", "/");
    }
    assert!(table.is_idle());
}

/// The oldest makes room for one too many; a method is another request.
#[test]
fn the_table_is_bounded() {
    let table = Computing::new(1);
    table.look_up_more();
    let is_known = |method, number: usize| {
        let found = table.lookup(method, &format!("/{number}"));
        found.is_known()
    };
    for number in 0..COMPUTING_MAX {
        table.learn(table.lookup("GET", &format!("/{number}")), Call::Waited);
    }
    assert!((0..COMPUTING_MAX).all(|number| is_known("GET", number)));
    assert!(!is_known("POST", 0));
    table.learn(table.lookup("POST", "/0"), Call::Waited);
    assert!(is_known("POST", 0) && !is_known("GET", 0));
    assert!((1..COMPUTING_MAX).all(|number| is_known("GET", number)));
}
