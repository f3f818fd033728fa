//! Lists that may become large: of what a million timers need, say.

use corio_task::ask_for_huge_pages;

/// A list of so many bytes is large: memory of its next size holds a huge page, wherever it begins.
const LARGE: usize = 2 << 20;

/// Pushes onto a list. One that grows beyond what is large moves into memory of huge pages.
///
/// It is moved by copying, and not where it lies: the system would leave the former half, and all of it if it has to lie
/// elsewhere, in the pages that it has.
#[inline]
pub(crate) fn push<T>(list: &mut Vec<T>, value: T) {
    if list.len() == list.capacity() && size_of_val(list.as_slice()) >= LARGE {
        grow(list);
    }
    list.push(value);
}

#[cold]
#[inline(never)]
fn grow<T>(list: &mut Vec<T>) {
    let mut larger = Vec::with_capacity(2 * list.capacity());
    ask_for_huge_pages(larger.spare_capacity_mut());
    larger.append(list);
    *list = larger;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_that_becomes_large_keeps_what_is_in_it() {
        let count = if cfg!(miri) { 3 } else { 300_000 };
        let mut list = Vec::new();
        (0..count).for_each(|n| push(&mut list, [n, n + 1, n + 2, n + 3]));
        assert!(list.iter().enumerate().all(|(n, held)| *held == [n, n + 1, n + 2, n + 3]));
        assert_eq!(list.len(), count);
    }
}
