//! Groups by the names that Entra gives them, through the running gate.

use std::time::Duration;

use cedargate::model::time::Clock;
use cedargate::sim::people::FINANCE;

use crate::harness::World;

const HOURS: Duration = Duration::from_hours(5);

impl World {
    /// A page of the console as Olive sees it, once it says this.
    async fn console_says(&self, path: &str, words: &str) -> String {
        let mut olive = self.browser_of("olive").await;
        let mut last = String::new();
        for _ in 0..200 {
            last = olive.open(&self.gate(path)).await.text();
            if last.contains(words) {
                return last;
            }
        }
        panic!("{path} never said {words:?}: {last}");
    }

    /// The changes of the gate's own, newest first, once there are this many.
    async fn own_changes(&self, count: usize) -> Vec<(String, String)> {
        for _ in 0..2_000 {
            let mut changes = self.events("change").await;
            changes.retain(|change| change["actor"] == "gate");
            if changes.len() >= count {
                let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
                let both = changes.iter().map(|of| (text(&of["action"]), text(&of["object"])));
                return both.collect();
            }
        }
        panic!("there never were {count} changes");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn group_that_is_renamed_and_then_deleted_is_told_so_wherever_it_stands() {
    let world = World::start_at(Clock::fixed(Clock::System.now()), |_| {}).await;
    world.console_says("/console/entra", "Names come from Entra").await;
    world.sim.name_group(FINANCE, "Finance Europe");
    world.clock.advance(HOURS);
    let page = world.console_says("/console/routes", "Finance Europe").await;
    assert!(page.contains("renamed, before: Finance<"), "{page}");
    let object = format!("group:{FINANCE}");
    assert_eq!(world.own_changes(1).await, [("group_renamed".to_owned(), object.clone())]);
    world.sim.delete_group(FINANCE).unwrap();
    world.clock.advance(HOURS);
    let page = world.console_says("/console/routes", "deleted in Entra").await;
    assert!(page.contains("<s><bdi>Finance Europe</bdi></s>"), "{page}");
    assert_eq!(world.own_changes(2).await[0], ("group_deleted".to_owned(), object));
}
