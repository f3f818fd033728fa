//! A child's output is a result, or known to be a plain value.

struct Page;

fn main() {
    corio::gather([async { Page }]);
}
