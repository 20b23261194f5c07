# What the firewall of ops02 itself has to let in.
# Site PRI, from site.yaml (sha256 061f503eabde8429b9396e492d781eb3471efa77db651cad7de5fc9d91ab4979), by portproof VERSION.
# Required flows only (--optional adds the optional ones).
# These are inbound rules of the host itself, not of a firewall on the way. Run it there as administrator (Windows Server 2012 and later).
# It replaces the rules of the group portproof; running it twice is running it once. Other rules of the host are left as they are.
# Only what the host blocks by default is held back: that inbound connections without a rule are blocked is the default of each profile.

Remove-NetFirewallRule -Group 'portproof' -ErrorAction SilentlyContinue

# internet>ops02:2202/tcp (required): maintenance by a supplier
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof internet>ops02:2202/tcp' -Description 'internet>ops02:2202/tcp (required): maintenance by a supplier' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 22 -RemoteAddress '0.0.0.0-9.255.255.255', '11.0.0.0-192.0.1.255', '192.0.3.0-255.255.255.255'
