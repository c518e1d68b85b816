//! Freed memory that the allocator keeps for later.

/// Gives it back to the system, where the allocator does not do that by itself.
pub fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    super::linux::malloc_trim::trim();
}
