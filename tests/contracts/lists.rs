//! Which clauses there are. Each list stands here once and every backend is given the whole of it, so that a clause
//! cannot be left out for one of them; a clause in no list is dead code, which does not pass clippy.

/// Makes a test of every clause for the backend whose `run` this is.
macro_rules! every_clause {
    ($run:path) => {
        tests_of_clauses! {
            $run;
            facts {
                a_first_event_makes_the_row
                an_event_that_says_nothing_new_writes_nothing
                an_event_that_says_nothing_makes_no_row
                any_order_of_the_same_events_gives_the_same_facts
                facts_only_grow
                of_ten_records_at_once_one_is_new
                what_is_written_once_stays
                a_session_nobody_recorded_goes_after_two_days
                the_same_session_of_two_accounts_is_two_rows
                what_the_call_log_offers_is_written_along_with_what_is_new
                an_offer_alone_is_no_news
            }
            rows {
                rows_come_as_they_stand_and_only_those_that_are_there
                a_key_asked_for_twice_is_one_row
                hundreds_of_rows_are_read_at_once
                a_read_sees_the_last_write
                the_queue_holds_what_is_due_and_what_is_not
            }
            due {
                the_longest_due_come_first_and_no_more_than_asked
                the_latest_due_come_first_where_they_are_asked_for
                what_is_due_says_since_when
                as_many_are_counted_as_are_due
                nothing_is_due_before_its_time
                only_sessions_with_a_recording_are_due
                an_end_decides_when_and_a_recording_only_where_nothing_has
                a_claim_takes_a_session_once_and_pushes_it_on
                what_is_not_due_cannot_be_claimed
                of_ten_claims_at_once_one_gets_the_row
            }
            results {
                every_result_comes_back_as_it_went
                a_finish_on_the_right_rev_writes_all
                a_finish_adds_what_was_found
                a_manifest_is_kept_until_another_is_written
                a_finish_on_an_old_rev_writes_nothing_and_answers_the_newer_row
                a_finish_makes_no_row
                a_record_between_claim_and_finish_is_seen
                a_settled_session_leaves_the_queue_until_a_recording_is_heard
                every_write_counts_rev_up_by_one
                an_offer_is_added_to_a_session_in_the_queue
                an_offer_that_is_known_writes_nothing
                an_offer_makes_no_row_and_wakes_no_settled_one
            }
            leases {
                the_drain_has_one_holder_at_a_time
                who_does_not_get_the_drain_is_told_until_when
                its_holder_may_take_the_drain_again
                the_drain_runs_out
                only_its_holder_gives_the_drain_back
                of_ten_who_want_the_drain_at_once_one_gets_it
            }
            signals {
                a_reminder_stands_with_the_time_of_the_last_one
                a_reminder_is_no_session
            }
            cursors {
                a_job_nobody_wrote_of_has_no_state
                what_a_job_writes_is_read_back_exactly
                a_state_of_a_long_job_survives
                an_advance_on_another_rev_writes_nothing
                of_ten_advances_at_once_one_is_done
                jobs_do_not_share_anything
            }
            tokens {
                there_is_no_token_before_one_is_put
                the_token_last_put_is_read
                the_right_to_mint_has_one_holder_at_a_time
                of_ten_who_want_to_mint_at_once_one_may
                only_its_holder_gives_the_right_to_mint_back
                a_put_gives_the_right_to_mint_back
                a_refusal_stands_until_a_token_is_put
                a_refusal_gives_the_right_to_mint_back
                client_ids_do_not_share_anything
            }
            permits {
                a_ledger_nobody_wrote_is_the_documented_one
                what_is_replaced_is_read_back_exactly
                a_ledger_of_sixty_uses_survives
                a_replace_on_an_old_rev_writes_nothing_and_answers_the_newer_ledger
                a_replace_made_again_answers_what_it_wrote
                a_replace_of_a_ledger_that_is_not_there_writes_nothing
                of_ten_replaces_of_one_rev_at_once_one_is_done
                groups_and_client_ids_do_not_share_anything
            }
            archive {
                a_created_object_is_held_with_its_digest_and_origin
                a_body_without_bytes_is_an_object_too
                a_short_body_of_undeclared_length_is_an_object_like_others
                an_object_is_read_as_it_was_stored
                nothing_is_held_where_nothing_lies
                a_second_create_stores_nothing
                of_ten_creates_at_once_one_stores
                a_stream_that_breaks_off_leaves_no_object
                a_stream_that_ends_early_leaves_no_object
                a_stream_that_runs_over_leaves_no_object
                a_create_that_is_dropped_leaves_no_object
                an_object_of_other_hands_is_seen_and_never_replaced
                what_lies_below_a_prefix_is_listed_as_it_is_held
            }
            parts {
                a_long_body_is_held_whole
                a_long_body_is_verified_as_a_whole
                a_long_body_that_breaks_off_leaves_nothing
                a_long_body_never_replaces_an_object
                of_three_long_creates_at_once_one_stores
                a_long_create_that_is_dropped_is_swept_up
            }
            documents {
                a_document_is_read_as_it_was_written
                a_document_is_not_written_over_another
                a_document_is_replaced_if_it_is_the_one_that_was_read
                a_document_that_is_not_there_is_not_replaced
                a_replaced_document_is_read_by_its_version
                of_ten_writes_at_once_one_is_done
            }
        }
    };
}

/// Makes a test of every clause about what only the real adapters have: a wire, and rows others may have spoiled.
macro_rules! every_clause_of_the_wire {
    ($run:path) => {
        tests_of_clauses! {
            $run;
            wire {
                a_spoiled_row_is_due_but_cannot_be_read
                a_row_whose_key_is_spoiled_is_passed_over
                a_spoiled_row_is_told_apart_from_those_read_with_it
                rows_of_many_megabytes_are_all_read
                the_queue_and_its_count_go_through_all_pages
                a_spoiled_cursor_cannot_be_read
                a_drain_lease_that_cannot_be_read_is_held
                a_spoiled_ledger_cannot_be_read
                a_refusal_that_cannot_be_read_is_none
                an_object_has_its_content_type_and_storage_class
                a_listing_goes_through_all_pages
            }
        }
    };
}

macro_rules! tests_of_clauses {
    ($run:path; $($topic:ident { $($clause:ident)* })*) => {
        $(
            mod $topic {
                $(
                    #[tokio::test]
                    async fn $clause() {
                        let name = concat!(stringify!($topic), "::", stringify!($clause));
                        $run(name, crate::clauses::$topic::$clause).await;
                    }
                )*
            }
        )*
    };
}
