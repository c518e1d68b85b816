//! `getifaddrs(3)`.

use super::{check, ffi, socket};
use std::io;
use std::net::IpAddr;
use std::ptr;

/// Entries that are looked at, so that a list that somehow ends in itself still ends.
const ADDRESSES_MAX: usize = 65_536;

/// Every IP address of an interface that is up, in the system's order.
pub fn of_interfaces() -> io::Result<Vec<IpAddr>> {
    let list = List::ask()?;
    let mut addresses = Vec::new();
    let mut next = list.first;
    for _ in 0..ADDRESSES_MAX {
        // SAFETY: null, or an entry of the list, which lives and stays as it is until `list` goes.
        let Some(entry) = (unsafe { next.as_ref() }) else {
            break;
        };
        if entry.flags & ffi::IFF_UP != 0 {
            addresses.extend(address_of(entry));
        }
        next = entry.next;
    }
    Ok(addresses)
}

struct List {
    // INVARIANT: what getifaddrs answered, not yet freed.
    first: *mut ffi::InterfaceAddress,
}

impl List {
    fn ask() -> io::Result<List> {
        let mut first = ptr::null_mut();
        // SAFETY: `first` is ours alone to be written.
        check(unsafe { ffi::getifaddrs(&mut first) })?;
        Ok(List { first })
    }
}

impl Drop for List {
    fn drop(&mut self) {
        // SAFETY: by the field's invariant this is the one time that the list is freed.
        unsafe { ffi::freeifaddrs(self.first) };
    }
}

fn address_of(entry: &ffi::InterfaceAddress) -> Option<IpAddr> {
    if entry.address.is_null() {
        return None; // an interface without an address, as a tunnel that is not set up
    }
    let start = entry.address.cast::<[u8; 2]>();
    // SAFETY: not null, so it points to a socket address, which begins with its family.
    let start = unsafe { start.read_unaligned() };
    let length = socket::length_of(start)?;
    let mut address = socket::blank_address();
    let to = address.bytes.as_mut_ptr();
    // SAFETY: a socket address of this family has `length` bytes, at most 28 of our 128.
    unsafe { ptr::copy_nonoverlapping(entry.address.cast::<u8>(), to, length) };
    socket::decode(&address).map(|address| address.ip())
}
