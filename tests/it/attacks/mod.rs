//! Every known way to approve one's own change, tried with the real verbs: each is refused for a reason of its own, and recorded.
//!
//! | attack | test | rule in the refusal and in its `denied` entry |
//! |---|---|---|
//! | second key | `made::self_approval_by_a_second_key` | `own-plan`; carried out all the same: `approvals` |
//! | second login, configured or not | `made::self_approval_by_a_second_login` | `author`; `check-authors`, `authors-unknown` |
//! | bot | `made::self_approval_by_a_bot` | `author` |
//! | co-author trailer | `made::self_approval_behind_a_co_author_line` | `author` |
//! | committer, not author | `made::self_approval_by_the_committer_who_is_not_the_author` | `author` |
//! | author behind a squash | `made::self_approval_of_commits_that_a_squash_took_in` | `author` |
//! | amended author | `made::self_approval_by_an_author_who_amended_himself_away` | `author` |
//! | amended into an author after approving | `again::who_became_the_author_after_he_approved_is_one` | `author` |
//! | history that nobody can read | `made::approval_while_nobody_can_tell_who_made_it` | `check-authors`, `authors-unknown` |
//! | approval used again | `again::an_approval_is_not_used_again` | `spent` |
//! | approval before a force-push | `again::an_approval_does_not_survive_a_force_push` | `range-changed` |
//! | approval of a smaller plan | `again::an_approval_of_a_smaller_plan_is_none_of_a_greater_one` | `other-plan`, `not-yours` |
//! | rules edited by the requester | `again::rules_that_its_requester_edited_void_a_plan` | `rules` |
//! | a freeze edited away inside it | `again::a_freeze_that_its_requester_took_out_of_the_rules_binds_until_another_accepts_that` | `freeze`; accepting it oneself: `own-rules` |
//! | a grant given to oneself | `made::self_approval_by_a_role_that_was_given_to_oneself` | `grant-own`, `grant-crosswise` |
//! | two changes approved crosswise | `made::two_halves_of_one_change_each_approved_by_the_other_author` | `author` |
//! | clock set back: approval | `clock::an_approval_that_is_over_counts_no_more` | `approvals` |
//! | clock set back: plan | `clock::a_plan_that_is_over_is_neither_approved_nor_carried_out` | `expired` |
//! | clock set back: grant | `clock::a_role_that_was_taken_for_a_while_is_over_after_it` | `grant-ended` |
//! | clock set back: freeze | `clock::a_freeze_that_began_is_not_slipped_under` | `freeze` |
//! | withdrawal raced by execution | `race::a_withdrawal_and_an_execution_that_race_leave_one_of_them_and_the_other_is_told_why` | `approvals` or `spent` |
//! | signature of another plan or installation | `alike::a_signature_of_another_plan_or_installation_is_not_taken` | `assurance` |
//! | signature of another environment | `alike::a_signature_of_another_environment_is_not_taken` | `assurance`; its digits: `other-plan` |
//! | two plans with one text | `alike::two_plans_with_one_text_are_two` | `approvals` |
//! | two plans with the same first digits | `alike::digits_that_name_two_plans_name_none_also_when_one_of_them_is_gone` | `ambiguous` |
//! | names and words that look like others | `alike::names_that_only_look_like_others_are_refused_and_words_are_cleaned` | the configuration is refused whole: nothing to record |
//!
//! Not refused, since git does not tell it: whoever forges author and committer of his own commit and opens no pull request for it is
//! nobody in the history. Protected branches that take pull requests alone are what closes that; the range then names who opened it.
//!
//! Beside these: the race above two hundred times in two handles of one store (`store::tests::race`), a signature that is not over the plan
//! (`store::tests::rulings`), a hold that only the store knows (`rehearse::promises`), a plan of another installation
//! (`store::tests::deeds`), the ledger's clock (`store::tests::order`), roles taken for a while (`headless::grants`), changed rules
//! (`headless::rules`), and what policy alone can say (`policy::tests::authors`).

mod again;
mod alike;
mod clock;
mod made;
mod race;
mod stage;
