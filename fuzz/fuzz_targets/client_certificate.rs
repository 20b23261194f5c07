#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    portproof::conversation::fuzz::client_certificate(bytes);
});
