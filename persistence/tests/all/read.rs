//! Lists, filters and pages.

use onsale_domain::{Command, EventStatus, OrganizationId, UnixMillis};
use onsale_engine::port::ProjectionSink;
use onsale_persistence::{EventCursor, EventFilter, PostgresProjection};
use uuid::Uuid;

use crate::support::{Sale, TestDatabase, creation};

/// Events "Alpha 100%", "Beta" and "Gamma", starting in this order; "Gamma" is closed.
async fn three_events(test: &TestDatabase) -> Vec<Sale> {
    let sink = PostgresProjection::new(test.database.clone());
    let mut sales = Vec::new();
    for (index, name) in ["Alpha 100%", "Beta", "Gamma"].into_iter().enumerate() {
        let mut sale = Sale::new();
        let mut details = Box::new(sale.details(name));
        details.starts_at = UnixMillis(1_900_000_000_000 + i64::try_from(index).expect("small"));
        let expected_version = sale.version();
        sale.apply(&Command::EditEvent {
            details,
            expected_version,
        });
        if index == 2 {
            sale.apply(&Command::ChangeStatus {
                to: EventStatus::Closed,
                expected_version: None,
            });
        }
        sink.project(&[sale.entry()]).await.expect("project");
        sales.push(sale);
    }
    sales
}

/// Sets what a case filters by.
type Edit<'a> = &'a dyn Fn(&mut EventFilter);

#[tokio::test]
async fn events_are_filtered() {
    let test = TestDatabase::new().await;
    let sales = three_events(&test).await;
    let starts_at = |millis: i64| Some(UnixMillis(1_900_000_000_000 + millis));
    let cases: [(Edit<'_>, &[usize]); 12] = [
        (&|_| {}, &[0, 1, 2]),
        (&|filter| filter.q = Some("ALPHA".to_owned()), &[0]),
        (&|filter| filter.q = Some("%".to_owned()), &[0]),
        (&|filter| filter.q = Some("a".to_owned()), &[0, 1, 2]),
        // The venue of all three.
        (&|filter| filter.q = Some("arena".to_owned()), &[0, 1, 2]),
        (&|filter| filter.from = starts_at(1), &[1, 2]),
        (&|filter| filter.to = starts_at(1), &[0]),
        (
            &|filter| (filter.from, filter.to) = (starts_at(1), starts_at(2)),
            &[1],
        ),
        (&|filter| filter.statuses = vec![EventStatus::Closed], &[2]),
        (
            &|filter| filter.statuses = vec![EventStatus::OnSale, EventStatus::Draft],
            &[0, 1],
        ),
        (
            &|filter| filter.organizations = Some(vec![sales[1].organization_id]),
            &[1],
        ),
        (
            &|filter| filter.organizations = Some(vec![OrganizationId(Uuid::now_v7())]),
            &[],
        ),
    ];
    for (edit, expected) in cases {
        let mut filter = EventFilter::default();
        edit(&mut filter);
        let rows = test.database.events(&filter, None, 10).await.expect("events");
        let found: Vec<_> = rows.iter().map(|row| row.event_id).collect();
        let expected: Vec<_> = expected.iter().map(|index| sales[*index].event_id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[tokio::test]
async fn events_come_in_pages() {
    let test = TestDatabase::new().await;
    let sales = three_events(&test).await;
    let mut after = None;
    for sale in &sales {
        let page = test
            .database
            .events(&EventFilter::default(), after, 1)
            .await
            .expect("events");
        assert_eq!(page[0].event_id, sale.event_id);
        after = Some(EventCursor {
            starts_at: page[0].starts_at,
            event_id: page[0].event_id,
        });
    }
    let page = test
        .database
        .events(&EventFilter::default(), after, 1)
        .await
        .expect("events");
    assert!(page.is_empty());
}

#[tokio::test]
async fn organizations_come_in_pages() {
    let test = TestDatabase::new().await;
    let ids: Vec<_> = (0..3).map(|_| OrganizationId(Uuid::now_v7())).collect();
    for id in &ids {
        let inserted = test
            .database
            .insert_organization(*id, "Club", creation())
            .await
            .expect("insert");
        assert_eq!(
            test.database.organization(*id).await.expect("get"),
            Some(inserted)
        );
    }
    let first = test.database.organizations(None, None, 2).await.expect("list");
    let second = test
        .database
        .organizations(None, Some(ids[1]), 2)
        .await
        .expect("list");
    let listed: Vec<_> = first
        .iter()
        .chain(&second)
        .map(|row| row.organization_id)
        .collect();
    assert_eq!(listed, ids);
}

#[tokio::test]
async fn orders_of_a_buyer_come_newest_first() {
    let test = TestDatabase::new().await;
    let mut sale = Sale::new();
    let mut placed = Vec::new();
    for _ in 0..3 {
        let hold = sale.place(&[(0, 1), (1, 2)]);
        placed.push((sale.confirm(hold), hold.1));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    // One buyer has bought all three.
    for record in &mut sale.records {
        if let onsale_domain::Record::HoldConfirmed(confirmed) = record {
            confirmed.buyer_id = placed[0].1;
        }
    }
    let entry = sale.entry();
    PostgresProjection::new(test.database.clone())
        .project(&[entry])
        .await
        .expect("project");
    let page = test
        .database
        .orders_of_buyer(placed[0].1, None, 2)
        .await
        .expect("orders");
    let ids: Vec<_> = page.iter().map(|order| order.order_id).collect();
    assert_eq!(ids, [placed[2].0, placed[1].0]);
    assert_eq!(page[0].lines.len(), 2);
    assert_eq!(
        (page[0].lines[0].quantity, page[0].lines[1].unit_price_minor),
        (1, 2_500)
    );
    let page = test
        .database
        .orders_of_buyer(placed[0].1, Some(placed[1].0), 2)
        .await
        .expect("orders");
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].order_id, placed[0].0);
    assert!(
        test.database
            .order(crate::support::event_id(), placed[0].0)
            .await
            .expect("order")
            .is_none()
    );
}
