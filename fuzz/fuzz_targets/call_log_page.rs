#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzzing::call_log_page(data));
