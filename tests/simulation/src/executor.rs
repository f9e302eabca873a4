//! One thread, a clock that jumps. Tasks run in the order they were woken in; when none is ready the clock jumps to the
//! next timer. Nothing else decides what happens when, so a seed replays exactly.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BTreeSet, BinaryHeap, VecDeque},
    future::Future,
    mem,
    pin::Pin,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

/// The simulated clock, and the timers that wait for it.
#[derive(Clone)]
pub struct Time(Arc<Mutex<Timers>>);

struct Timers {
    now_ms: u64,
    armed: u64,
    waiting: BinaryHeap<Reverse<Timer>>,
    /// Numbers of timers among them for which nobody waits any more.
    given_up: BTreeSet<u64>,
}

struct Timer {
    at_ms: u64,
    /// Timers of one moment fire in the order they were set.
    number: u64,
    waker: Waker,
}

impl Time {
    /// A clock that stands at `now_ms`, epoch milliseconds.
    pub fn starting_at(now_ms: u64) -> Self {
        Self(Arc::new(Mutex::new(Timers { now_ms, armed: 0, waiting: BinaryHeap::new(), given_up: BTreeSet::new() })))
    }

    /// Now, in epoch milliseconds.
    pub fn now_ms(&self) -> u64 {
        self.timers().now_ms
    }

    /// Ends `duration_ms` from now.
    pub fn sleep(&self, duration_ms: u64) -> Sleep {
        self.sleep_until(self.now_ms().saturating_add(duration_ms))
    }

    /// Ends at `at_ms`, though not before others have had their turn.
    pub fn sleep_until(&self, at_ms: u64) -> Sleep {
        Sleep { time: self.clone(), at_ms, armed: None }
    }

    /// Jumps to the next timer and wakes its task; false if nobody waits.
    fn jump(&self) -> bool {
        let mut timers = self.timers();
        let timer = loop {
            let Some(Reverse(timer)) = timers.waiting.pop() else { return false };
            if !timers.given_up.remove(&timer.number) {
                break timer;
            }
        };
        timers.now_ms = timers.now_ms.max(timer.at_ms);
        drop(timers);
        timer.waker.wake();
        true
    }

    fn timers(&self) -> MutexGuard<'_, Timers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Timer {}

impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_ms, self.number).cmp(&(other.at_ms, other.number))
    }
}

/// A wait. Even one of no length lets others run.
pub struct Sleep {
    time: Time,
    at_ms: u64,
    /// The number of its timer, and whom that wakes.
    armed: Option<(u64, Waker)>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let time = self.time.clone();
        let mut timers = time.timers();
        if self.armed.is_some() && timers.now_ms >= self.at_ms {
            return Poll::Ready(());
        }
        if self.armed.as_ref().is_some_and(|(_, waker)| waker.will_wake(context.waker())) {
            return Poll::Pending;
        }
        timers.armed += 1;
        let number = timers.armed;
        if let Some((earlier, _)) = self.armed.replace((number, context.waker().clone())) {
            timers.given_up.insert(earlier);
        }
        timers.waiting.push(Reverse(Timer { at_ms: self.at_ms, number, waker: context.waker().clone() }));
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        let Some((number, _)) = self.armed.take() else { return };
        let mut timers = self.time.timers();
        if timers.now_ms < self.at_ms {
            timers.given_up.insert(number);
        }
    }
}

type Task = Pin<Box<dyn Future<Output = ()>>>;
type Ready = Arc<Mutex<VecDeque<usize>>>;

/// The tasks of one world.
pub struct Executor {
    time: Time,
    tasks: Vec<Option<Task>>,
    wakers: Vec<Waker>,
    ready: Ready,
    spawned: Spawner,
}

/// Where running tasks leave new ones.
#[derive(Clone, Default)]
pub struct Spawner(Rc<RefCell<Vec<Task>>>);

impl Spawner {
    /// Starts a task; it runs after what is ready now.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.0.borrow_mut().push(Box::pin(task));
    }
}

struct TaskWaker {
    number: usize,
    ready: Ready,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready.contains(&self.number) {
            ready.push_back(self.number);
        }
    }
}

impl Executor {
    /// No tasks yet but those left with `spawned`.
    pub fn new(time: Time, spawned: Spawner) -> Self {
        Self { time, tasks: Vec::new(), wakers: Vec::new(), ready: Ready::default(), spawned }
    }

    /// Runs until no task is left that could go on. `after_step` is called after each poll of a task; once it answers
    /// false the run ends. Answers how many steps were taken.
    pub fn run(mut self, mut after_step: impl FnMut() -> bool) -> u64 {
        let mut steps = 0;
        self.admit();
        loop {
            while let Some(number) = self.next_ready() {
                let waker = self.wakers[number].clone();
                let mut context = Context::from_waker(&waker);
                let Some(task) = self.tasks[number].as_mut() else { continue };
                if task.as_mut().poll(&mut context).is_ready() {
                    self.tasks[number] = None;
                }
                steps += 1;
                self.admit();
                if !after_step() {
                    return steps;
                }
            }
            if !self.time.jump() {
                return steps;
            }
        }
    }

    fn next_ready(&self) -> Option<usize> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Takes over what was spawned. A finished task's place is given away again.
    fn admit(&mut self) {
        for task in mem::take(&mut *self.spawned.0.borrow_mut()) {
            let free = self.tasks.iter().position(Option::is_none);
            let number = free.unwrap_or(self.tasks.len());
            match free {
                Some(number) => self.tasks[number] = Some(task),
                None => {
                    self.tasks.push(Some(task));
                    self.wakers.push(Arc::new(TaskWaker { number, ready: self.ready.clone() }).into());
                }
            }
            self.wakers[number].wake_by_ref();
        }
    }
}

/// A task that is killed at its `awaits`th await, wherever that is: everything it holds is dropped.
pub struct Mortal<F> {
    task: Option<Pin<Box<F>>>,
    awaits: u32,
    passed: u32,
}

impl<F: Future> Mortal<F> {
    /// `u32::MAX` awaits are never reached.
    pub fn new(task: F, awaits: u32) -> Self {
        Self { task: Some(Box::pin(task)), awaits, passed: 0 }
    }

    /// How many awaits it has lived through: polls after which it had to wait. Of futures that wait beside each other each
    /// wakes the task by itself, so that what one of them has done is an await of its own.
    pub fn passed(&self) -> u32 {
        self.passed
    }
}

impl<F: Future> Future for Mortal<F> {
    /// Nothing if it was killed.
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(task) = self.task.as_mut() else { return Poll::Ready(None) };
        if let Poll::Ready(output) = task.as_mut().poll(context) {
            self.task = None;
            return Poll::Ready(Some(output));
        }
        if self.passed == self.awaits {
            self.task = None;
            return Poll::Ready(None);
        }
        self.passed += 1;
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::future::select;

    use super::*;

    #[test]
    fn the_clock_jumps_from_timer_to_timer_and_ties_keep_their_order() {
        let (time, spawner) = (Time::starting_at(1_000), Spawner::default());
        let seen: Rc<RefCell<Vec<(&str, u64)>>> = Rc::default();
        for (name, wait_ms) in [("late", 5_000), ("first", 10), ("second", 10)] {
            let (time, seen) = (time.clone(), seen.clone());
            spawner.spawn(async move {
                time.sleep(wait_ms).await;
                seen.borrow_mut().push((name, time.now_ms()));
            });
        }
        let steps = Executor::new(time, spawner).run(|| true);
        assert_eq!(*seen.borrow(), [("first", 1_010), ("second", 1_010), ("late", 6_000)]);
        assert_eq!(steps, 6, "each task is polled once to begin and once to end");
    }

    #[test]
    fn a_wait_beside_others_wakes_its_task_once() {
        let (time, spawner) = (Time::starting_at(0), Spawner::default());
        let clock = time.clone();
        spawner.spawn(async move {
            let work = async {
                for _ in 0..5 {
                    clock.sleep(10).await;
                }
            };
            let _ = select(pin!(work), pin!(clock.sleep(1_000))).await;
            clock.sleep(2_000).await;
        });
        let steps = Executor::new(time, spawner).run(|| true);
        assert_eq!(steps, 7, "to begin, five times for the work, once to end: the wait it outran wakes nobody");
    }

    #[test]
    fn a_task_dies_at_the_await_that_was_named() {
        let reached: Rc<RefCell<[u32; 4]>> = Rc::default();
        for awaits in 0..4 {
            let (time, spawner, reached) = (Time::starting_at(0), Spawner::default(), reached.clone());
            let clock = time.clone();
            spawner.spawn(async move {
                let task = async {
                    for _ in 0..3 {
                        reached.borrow_mut()[awaits as usize] += 1;
                        clock.sleep(1).await;
                    }
                };
                let mut mortal = Mortal::new(task, awaits);
                assert_eq!((&mut mortal).await.is_some(), awaits == 3);
                assert_eq!(mortal.passed(), awaits);
            });
            Executor::new(time, spawner).run(|| true);
        }
        assert_eq!(*reached.borrow(), [1, 2, 3, 3]);
    }
}
