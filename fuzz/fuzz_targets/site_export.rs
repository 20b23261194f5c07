#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    portproof::import::fuzz::site_export(bytes);
});
