//! Random programs of scopes, groups, limits in time, shields and handles, with requests at random moments.
//!
//! A program is a tree. Each leaf of it that is reached keeps a ledger: how it ended. What must hold, whatever comes when:
//! the program ends; a request that was made before the task's end cut something, or else ended the task; a leaf inside a
//! shield is cut by its limit and by nothing else; what suspends in a scope that was cancelled for good is cut; and
//! everything that began was dropped.

use crate::kit::{World, call_later, ms, sleep, yield_now};
use corio_combinators::{
    CancelScope, TaskGroup, cancel_scope, gather_settled, join, move_on_after, race, shielded, timeout,
};
use corio_seam::{LoopTime, now};
use corio_task::{JoinError, catch_cancelled, create_task};
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;

const LONG: u64 = 4_000;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % sides
    }
}

#[derive(Clone, Debug)]
enum Program {
    Sleep(u64),
    /// So long that it looks as if it would never end; but who swallows a request and then waits for ever, does.
    Long,
    Yield,
    Both(Vec<Program>),
    First(Vec<Program>),
    InTurn(Vec<Program>),
    /// Catches, cleans up by the second, and then goes on unwinding, or not.
    Catch(Box<Program>, Box<Program>, bool),
    Timeout(u64, Box<Program>),
    Scope(u64, Box<Program>),
    MoveOn(u64, Box<Program>),
    Shielded(u64, Box<Program>),
    Group(Vec<Program>, Box<Program>, Option<u64>),
    Child(Box<Program>),
    Gather(Vec<Program>),
}

fn program(dice: &mut Dice, depth: u64) -> Program {
    use Program::*;
    let many = |dice: &mut Dice| (0..=dice.roll(3)).map(|_| program(dice, depth - 1)).collect();
    let one = |dice: &mut Dice| Box::new(program(dice, depth - 1));
    match dice.roll(if depth == 0 { 4 } else { 18 }) {
        0 => Yield,
        1 => Long,
        2 | 3 => Sleep(dice.roll(40)),
        4 | 5 => Both(many(dice)),
        6 => First(many(dice)),
        7 => InTurn(many(dice)),
        8 | 9 => Catch(one(dice), one(dice), dice.roll(3) > 0),
        10 => Timeout(dice.roll(30), one(dice)),
        11 | 12 => Scope(dice.roll(30), one(dice)),
        13 => MoveOn(dice.roll(30), one(dice)),
        14 => Shielded(dice.roll(30), one(dice)),
        15 => Group(many(dice), one(dice), (dice.roll(2) == 0).then(|| dice.roll(30))),
        16 => Child(one(dice)),
        _ => Gather(many(dice)),
    }
}

/// What the leaves keep.
#[derive(Default)]
struct Ledger {
    begun: Cell<usize>,
    ended: Cell<usize>,
    cut: Cell<usize>,
    /// How often a cancellation was caught: perhaps before a leaf had begun.
    caught: Cell<usize>,
    wrong: RefCell<Vec<String>>,
}

impl Ledger {
    fn count(cell: &Cell<usize>) {
        cell.set(cell.get() + 1);
    }
}

/// Counts how a leaf ended: it was cut if it is dropped before it said that it is over.
struct Leaf(Rc<Ledger>, bool);

impl Leaf {
    fn new(ledger: &Rc<Ledger>) -> Leaf {
        Ledger::count(&ledger.begun);
        Leaf(Rc::clone(ledger), false)
    }
}

impl Drop for Leaf {
    fn drop(&mut self) {
        Ledger::count(if self.1 { &self.0.ended } else { &self.0.cut });
    }
}

/// Where a program runs: the scopes around it, in this task, up to a shield.
#[derive(Clone)]
struct Place {
    ledger: Rc<Ledger>,
    scopes: Vec<CancelScope>,
}

impl Place {
    fn is_cancelled(&self) -> bool {
        self.scopes.iter().any(CancelScope::cancel_called)
    }

    fn inside(&self, scope: CancelScope) -> Place {
        let mut place = self.clone();
        place.scopes.push(scope);
        place
    }

    fn alone(&self) -> Place {
        Place { ledger: Rc::clone(&self.ledger), scopes: Vec::new() }
    }
}

fn all(programs: Vec<Program>, place: &Place) -> Vec<Pin<Box<dyn Future<Output = ()>>>> {
    programs.into_iter().map(|program| go(program, place.clone())).collect()
}

fn go(program: Program, place: Place) -> Pin<Box<dyn Future<Output = ()>>> {
    Box::pin(async move {
        use Program::*;
        let leaf = async |future: Pin<Box<dyn Future<Output = ()>>>| {
            let mut leaf = Leaf::new(&place.ledger);
            let cancelled_before = place.is_cancelled();
            future.await;
            leaf.1 = true;
            if cancelled_before {
                place.ledger.wrong.borrow_mut().push("a leaf in a cancelled scope outlived a suspension".to_string());
            }
        };
        match program {
            Sleep(delay) => leaf(Box::pin(sleep(ms(delay)))).await,
            Long => leaf(Box::pin(sleep(ms(LONG)))).await,
            Yield => leaf(Box::pin(yield_now())).await,
            Both(programs) => drop(join(all(programs, &place)).await),
            First(programs) => race(all(programs, &place)).await,
            InTurn(programs) => {
                for future in all(programs, &place) {
                    future.await;
                }
            }
            Catch(body, cleanup, resumes) => {
                if let Err(cancelled) = catch_cancelled(go(*body, place.clone())).await {
                    Ledger::count(&place.ledger.caught);
                    go(*cleanup, place).await;
                    if resumes {
                        match cancelled.resume().await {}
                    }
                }
            }
            Timeout(delay, body) => drop(timeout(ms(delay), go(*body, place)).await),
            Scope(delay, body) => {
                let ended = cancel_scope(async |scope: CancelScope| {
                    let later = scope.clone();
                    call_later(ms(delay), move || {
                        later.cancel(); // It may be over.
                    });
                    go(*body, place.inside(scope)).await;
                });
                drop(ended.await);
            }
            MoveOn(delay, body) => {
                let body = async |scope| go(*body, place.inside(scope)).await;
                drop(move_on_after(ms(delay), body).await);
            }
            Shielded(limit, body) => {
                let begun = now();
                let ended = shielded(ms(limit), go(*body, place.alone())).await;
                if ended.is_err() && now() < begun + ms(limit) {
                    place.ledger.wrong.borrow_mut().push("a shield was cut before its limit".to_string());
                }
            }
            Group(children, body, cancel) => {
                let ended = TaskGroup::run_to_cancel(async |group: TaskGroup| {
                    for child in children {
                        drop(group.create_task(go(child, place.alone())));
                    }
                    if let Some(delay) = cancel {
                        let group = group.clone();
                        call_later(ms(delay), move || group.cancel());
                    }
                    go(*body, place.clone()).await;
                });
                if ended.await.is_err() {
                    place.ledger.wrong.borrow_mut().push("a group failed".to_string());
                }
            }
            Child(body) => drop(create_task(go(*body, place.alone())).await),
            Gather(programs) => drop(gather_settled(all(programs, &place.alone())).await),
        }
    })
}

/// Tells whether nothing in a program keeps a request from ending it at once.
fn is_simple(program: &Program) -> bool {
    match program {
        Program::Long | Program::Yield | Program::Sleep(_) => true,
        Program::Both(all) | Program::First(all) | Program::InTurn(all) => all.iter().all(is_simple),
        Program::Timeout(_, body) | Program::Scope(_, body) | Program::MoveOn(_, body) => is_simple(body),
        _ => false,
    }
}

/// Runs a program in a task, which is asked to end at some moments.
fn check(seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let program = program(&mut dice, 4);
    let moments: Vec<_> = (0..dice.roll(3)).map(|_| dice.roll(60)).collect();
    let (ledger, story) = (Rc::new(Ledger::default()), format!("seed {seed}: {program:?}, asked at {moments:?}"));
    let place = Place { ledger: Rc::clone(&ledger), scopes: Vec::new() };
    let (simple, first) = (is_simple(&program), moments.iter().min().copied());
    let (asked, world) = (Rc::new(Cell::new(0)), World::new());
    let count = Rc::clone(&asked);
    let main = async move {
        let task = create_task(go(program, place));
        for moment in moments {
            let (task, count) = (task.task_ref(), Rc::clone(&count));
            call_later(ms(moment), move || count.set(count.get() + usize::from(task.cancel())));
        }
        let task_ref = task.task_ref();
        if let (true, Some(first)) = (simple, first) {
            sleep(ms(first)).await;
            yield_now().await;
            yield_now().await;
            assert!(task_ref.done(), "nothing catches, and it was not cut at once");
        }
        while !task_ref.done() {
            sleep(ms(50)).await;
            assert!(now() < LoopTime::ZERO + ms(1_000 * LONG), "it never ends");
        }
        task.await
    };
    let ended = world.run(main).unwrap_or_else(|error| panic!("{error}; {story}"));
    assert!(ledger.wrong.borrow().is_empty(), "{:?}; {story}", ledger.wrong.borrow());
    assert!(matches!(ended, Ok(()) | Err(JoinError::Cancelled(_))), "{ended:?}; {story}");
    if asked.get() > 0 && ended.is_ok() {
        assert!(ledger.cut.get() + ledger.caught.get() > 0, "a request did nothing; {story}");
    }
    drop(world);
    assert_eq!(ledger.begun.get(), ledger.ended.get() + ledger.cut.get(), "something is left; {story}");
}

#[test]
fn no_request_is_lost_and_every_program_ends() {
    for seed in 1..=if cfg!(miri) { 8 } else { 20_000 } {
        check(seed);
    }
}
