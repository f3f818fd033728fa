//! Makes a failing program shorter, as long as it goes on failing.

use crate::program::{Op, Program};

/// Returns a program that fails, too, and of which no operation can be left out. `fails` tells whether one does.
pub(crate) fn shrink(program: &Program, fails: impl Fn(&Program) -> bool) -> Program {
    let mut best = program.clone();
    loop {
        let before = best.ops.clone();
        leave_out(&mut best, &fails);
        simplify(&mut best, &fails);
        if best.ops == before {
            return best;
        }
    }
}

/// Leaves chunks out, from large ones to single operations.
fn leave_out(best: &mut Program, fails: impl Fn(&Program) -> bool) {
    let mut chunk = best.ops.len().div_ceil(2);
    while chunk > 0 {
        let mut start = 0;
        while start < best.ops.len() {
            let mut shorter = best.clone();
            shorter.ops.drain(start..(start + chunk).min(shorter.ops.len()));
            if fails(&shorter) {
                *best = shorter;
            } else {
                start += chunk;
            }
        }
        chunk /= 2;
    }
}

/// Makes the numbers of each operation smaller.
fn simplify(best: &mut Program, fails: impl Fn(&Program) -> bool) {
    for place in 0..best.ops.len() {
        let Op { kind, a, b } = best.ops[place];
        for op in [Op { kind, a: 0, b: 0 }, Op { kind, a: 0, b }, Op { kind, a, b: 0 }, Op { kind, a, b: b % 8 }] {
            if op == best.ops[place]
                || u16::from(op.a) + u16::from(op.b) >= u16::from(best.ops[place].a) + u16::from(best.ops[place].b)
            {
                continue;
            }
            let mut simpler = best.clone();
            simpler.ops[place] = op;
            if fails(&simpler) {
                *best = simpler;
                break;
            }
        }
    }
}
