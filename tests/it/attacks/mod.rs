//! Every known way to approve one's own change, tried with the real verbs: each is refused for a reason of its own, and recorded.
//!
//! Beside these: a signature that is not over the plan (`store::tests::rulings`), a hold that only the store knows (`rehearse::promises`),
//! a plan of another installation (`store::tests::deeds`), the ledger's clock (`store::tests::order`), and what policy alone can say
//! (`policy::tests::authors`).

mod again;
mod alike;
mod made;
mod stage;
