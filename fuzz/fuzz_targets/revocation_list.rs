#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    portproof::wire::fuzz::revocation_list(bytes);
});
