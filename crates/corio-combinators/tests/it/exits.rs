use crate::kit::{Log, forever, ms, run, sleep, yield_now};
use corio_combinators::TaskGroup;
use corio_task::{Cancelled, catch_cancelled, create_task};

/// Between the end of the last child and the group's own, which is an iteration later, nobody comes in any more.
#[test]
fn a_group_whose_last_child_has_ended_takes_no_more() {
    let log = Log::default();
    let lines = log.clone();
    run(async move {
        let ended = TaskGroup::run(async |group: TaskGroup| {
            let (handle, log) = (group.clone(), log.clone());
            let child = group.create_task(sleep(ms(1)));
            let _key = child.add_done_callback(move |_| {
                let refused = handle.try_create_task(forever()).map(drop);
                log.add(refused.map_or_else(|refused| refused.to_string(), |()| "taken".to_owned()));
            });
        });
        ended.await.unwrap();
        log.add("exit");
    });
    assert_eq!(lines.take(), ["the task group is finished: it takes no more tasks", "exit"]);
}

async fn cancels_itself() {
    match Cancelled::with_message(Some("enough".into())).resume().await {}
}

#[test]
fn a_body_that_cancels_itself_unwinds_its_caller_when_the_children_have_ended() {
    run(async {
        let log = Log::default();
        let lines = log.clone();
        let group = TaskGroup::run_to_cancel(async move |group: TaskGroup| {
            let _child = group.create_task(async move {
                let Err(cancelled) = catch_cancelled(forever()).await else { return };
                sleep(ms(5)).await;
                log.add("clean");
                cancelled.resume().await;
            });
            yield_now().await;
            cancels_itself().await;
        });
        let cut = catch_cancelled(group).await.unwrap_err();
        assert_eq!((cut.message(), lines.take()), (Some("enough"), vec!["clean".to_owned()]));
        assert_eq!(corio_seam::cancelling(), 0);
        let task = create_task(async { 7 });
        assert_eq!(task.await.unwrap(), 7);
    });
}
