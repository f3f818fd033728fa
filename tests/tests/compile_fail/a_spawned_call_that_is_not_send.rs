//! What a pool's thread gives back must be able to cross, too.

use std::rc::Rc;

fn main() {
    let pool = corio::ThreadPoolExecutor::new();
    let _ = corio::run_in_executor(&pool, || Rc::new(1));
}
