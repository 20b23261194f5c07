#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    portproof::explain::fuzz::client_log(bytes);
});
