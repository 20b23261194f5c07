# What the firewall of isa01 itself has to let in.
# Site PRI, from site.yaml (sha256 061f503eabde8429b9396e492d781eb3471efa77db651cad7de5fc9d91ab4979), by portproof VERSION.
# Required flows only (--optional adds the optional ones).
# These are inbound rules of the host itself, not of a firewall on the way. Run it there as administrator (Windows Server 2012 and later).
# It replaces the rules of the group portproof; running it twice is running it once. Other rules of the host are left as they are.
# Only what the host blocks by default is held back: that inbound connections without a rule are blocked is the default of each profile.

Remove-NetFirewallRule -Group 'portproof' -ErrorAction SilentlyContinue

# internet>isa01:443/tcp (required): Internet clients reach the published management point and distribution point through the proxy. The proxy ends TLS and opens its own session to cm01.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof internet>isa01:443/tcp' -Description 'internet>isa01:443/tcp (required): Internet clients reach the published management point and distribution point through the proxy. The proxy ends TLS and opens its own session to cm01.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 443 -RemoteAddress '0.0.0.0-9.255.255.255', '11.0.0.0-192.0.1.255', '192.0.3.0-255.255.255.255'

# internet>isa01:8443/tcp (required): Internet clients reach the published management point and distribution point through the proxy. The proxy ends TLS and opens its own session to cm01.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof internet>isa01:8443/tcp' -Description 'internet>isa01:8443/tcp (required): Internet clients reach the published management point and distribution point through the proxy. The proxy ends TLS and opens its own session to cm01.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 8443 -RemoteAddress '0.0.0.0-9.255.255.255', '11.0.0.0-192.0.1.255', '192.0.3.0-255.255.255.255'

# internet>isa01:8531/tcp (required): Internet clients reach the published software update point through the proxy, on its SSL port. The proxy ends TLS and opens its own session to cm01.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof internet>isa01:8531/tcp' -Description 'internet>isa01:8531/tcp (required): Internet clients reach the published software update point through the proxy, on its SSL port. The proxy ends TLS and opens its own session to cm01.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 8531 -RemoteAddress '0.0.0.0-9.255.255.255', '11.0.0.0-192.0.1.255', '192.0.3.0-255.255.255.255'
