#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    portproof::report::fuzz::report(bytes);
});
