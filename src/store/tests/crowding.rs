//! Floods of sign-ins and hand-overs: whoever sends one pushes out rows of their own and of nobody else.

use super::*;
use crate::model::session::StepUp;

const FLOODER: &str = "198.51.100.66";
const FRESH: &str = "192.0.2.7";

fn client(ip: &str) -> ClientAddress {
    ClientAddress::Known(ip.parse().unwrap())
}

/// Takes the wait for the disk out of ten thousand commits: what is counted here has no power cut to outlive.
async fn stop_syncing(scene: &Scene) {
    let mut held = Vec::new();
    for _ in 0..scene.store.pool.options().get_max_connections() {
        let mut connection = scene.store.pool.acquire().await.unwrap();
        sqlx::query("PRAGMA synchronous = 0").execute(&mut *connection).await.unwrap();
        held.push(connection);
    }
}

/// Begins a sign-in and a hand-over named `name`, in a browser of its own.
async fn begin(scene: &Scene, name: &str, client: ClientAddress, at: Timestamp) {
    let browser = SecretHash::of(&format!("browser of {name}"));
    let sign_in = SignIn {
        state: SecretHash::of(name),
        browser: browser.clone(),
        nonce: "nonce".to_owned().into(),
        verifier: "verifier".to_owned().into(),
        destination: Destination::Page("/".to_owned()),
        step_up: StepUp::default(),
        session: None,
        round: Round::First,
    };
    scene.store.begin_sign_in(&sign_in, client, at).await.unwrap();
    let (id, host) = (SecretHash::of(name), "payroll.contoso.com".parse().unwrap());
    let (return_path, step_up) = ("/".to_owned(), StepUp::default());
    let handover = Handover { id, browser, host, return_path, step_up };
    scene.store.begin_handover(&handover, client, at).await.unwrap();
}

/// Whether the sign-in and the hand-over named `name` are there; both share one fate. Takes the sign-in.
async fn is_kept(scene: &Scene, name: &str, at: Timestamp) -> bool {
    let (id, browser) = (SecretHash::of(name), SecretHash::of(&format!("browser of {name}")));
    let sign_in = scene.store.take_sign_in(&id, &browser, at).await.unwrap();
    let sign_in = matches!(sign_in, SignInTaken::Taken(_));
    let handover = scene.store.handover(&id, at).await.unwrap().is_some();
    assert_eq!(sign_in, handover, "{name}");
    handover
}

/// How many sign-ins and hand-overs are kept.
async fn counts(scene: &Scene) -> (i64, i64) {
    let pool = &scene.store.pool;
    let sign_ins = sqlx::query_scalar("SELECT COUNT(*) FROM sign_in").fetch_one(pool).await;
    let handovers = sqlx::query_scalar("SELECT COUNT(*) FROM handover").fetch_one(pool).await;
    (sign_ins.unwrap(), handovers.unwrap())
}

/// Fills both tables: 9 800 sources with one old row each, then 200 younger rows of the flooder, a microsecond apart.
async fn fill(scene: &Scene) {
    let (start, end) = (at(0).as_micros(), at(600).as_micros());
    sqlx::query(
        r"
        WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
        INSERT INTO sign_in
            (state_hash, browser_hash, source, nonce, verifier, return_path, made_at, ends_at)
        SELECT 's' || i, 'b' || i, CASE WHEN i < 9800 THEN 'a' || i ELSE $3 END, 'n', 'v', '/', $1 + i, $2
        FROM n
        ",
    )
    .bind(start)
    .bind(end)
    .bind(FLOODER)
    .execute(&scene.store.pool)
    .await
    .unwrap();
    sqlx::query(
        r"
        INSERT INTO handover (id_hash, browser_hash, source, host, return_path, made_at, ends_at)
        SELECT state_hash, browser_hash, source, 'payroll.contoso.com', '/', made_at, ends_at FROM sign_in
        ",
    )
    .execute(&scene.store.pool)
    .await
    .unwrap();
}

/// Names of the rows among `names` that either table lost.
async fn lost(scene: &Scene, names: &[&str]) -> Vec<String> {
    let mut lost = Vec::new();
    for name in names {
        let kept: (i64, i64) = sqlx::query_as(
            r"
            SELECT (SELECT COUNT(*) FROM sign_in WHERE state_hash = $1),
                (SELECT COUNT(*) FROM handover WHERE id_hash = $1)
            ",
        )
        .bind(name)
        .fetch_one(&scene.store.pool)
        .await
        .unwrap();
        assert_eq!(kept.0, kept.1, "{name}");
        if kept == (0, 0) {
            lost.push((*name).to_owned());
        }
    }
    lost
}

#[tokio::test]
async fn a49_a_flood_of_starts_leaves_a_fresh_source_alone() {
    let scene = scene().await;
    stop_syncing(&scene).await;
    begin(&scene, "fresh", client(FRESH), at(0)).await;
    for n in 0..600_i64 {
        let now = Timestamp::from_micros(at(1).as_micros() + n);
        begin(&scene, &format!("flood-{n}"), client(FLOODER), now).await;
    }
    assert_eq!(counts(&scene).await, (201, 201));
    begin(&scene, "late", client(FRESH), at(2)).await;
    for (name, kept) in [("fresh", true), ("late", true), ("flood-399", false), ("flood-400", true)]
    {
        assert_eq!(is_kept(&scene, name, at(3)).await, kept, "{name}");
    }
}

#[tokio::test]
async fn two_hundred_and_first_start_pushes_out_the_oldest_of_its_source() {
    let check = async |of: &dyn Fn(i64) -> ClientAddress, expected: bool| {
        let scene = scene().await;
        stop_syncing(&scene).await;
        for n in 0..201 {
            begin(&scene, &format!("n-{n}"), of(n), at(n)).await;
        }
        assert_eq!(is_kept(&scene, "n-0", at(300)).await, expected, "{}", of(0));
        assert!(is_kept(&scene, "n-1", at(300)).await, "{}", of(0));
    };
    check(&|_| client(FLOODER), false).await;
    check(&|_| ClientAddress::Unknown, false).await;
    check(&|n| client(&format!("2001:db8:0:1:{n:x}::1")), false).await;
    check(&|n| client(&format!("2001:db8:0:{n:x}::1")), true).await;
    check(&|n| client(&format!("198.51.100.{n}")), true).await;
}

#[tokio::test]
async fn a49_newcomer_to_full_tables_pushes_out_the_oldest_of_the_fullest_source() {
    let scene = scene().await;
    fill(&scene).await;
    begin(&scene, "fresh", client(FRESH), at(1)).await;
    assert_eq!(counts(&scene).await, (10_000, 10_000));
    assert_eq!(lost(&scene, &["s0", "s9799", "s9800", "s9801", "s9999"]).await, ["s9800"]);
    assert!(is_kept(&scene, "fresh", at(2)).await);
}

#[tokio::test]
async fn fullest_source_of_full_tables_pushes_out_one_row_of_its_own() {
    let scene = scene().await;
    fill(&scene).await;
    begin(&scene, "more", client(FLOODER), at(1)).await;
    assert_eq!(counts(&scene).await, (10_000, 10_000));
    assert_eq!(lost(&scene, &["s0", "s9799", "s9800", "s9801", "s9999"]).await, ["s9800"]);
}

#[tokio::test]
async fn rows_that_are_over_make_room_before_anybody_is_pushed_out() {
    let scene = scene().await;
    fill(&scene).await;
    begin(&scene, "fresh", client(FRESH), at(600)).await;
    assert_eq!(counts(&scene).await, (1, 1));
}

#[tokio::test]
async fn searches_for_whom_to_push_out_use_their_index() {
    let scene = scene().await;
    let check = async |sql: &'static str, index: &str| {
        let plan: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(sql).fetch_all(&scene.store.pool).await.unwrap();
        let plan: Vec<String> = plan.into_iter().map(|step| step.3).collect();
        assert!(plan.iter().any(|step| step.contains(index)), "{plan:?}");
        assert!(!plan.iter().any(|step| step.contains("B-TREE FOR GROUP BY")), "{plan:?}");
    };
    for (sql, index) in [
        (
            "EXPLAIN QUERY PLAN SELECT source FROM sign_in GROUP BY source \
             ORDER BY COUNT(*) DESC, MIN(made_at), source LIMIT 1",
            "COVERING INDEX sign_in_source",
        ),
        (
            "EXPLAIN QUERY PLAN SELECT source FROM handover GROUP BY source \
             ORDER BY COUNT(*) DESC, MIN(made_at), source LIMIT 1",
            "COVERING INDEX handover_source",
        ),
    ] {
        check(sql, index).await;
    }
}
