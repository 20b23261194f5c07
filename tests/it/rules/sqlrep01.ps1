# What the firewall of sqlrep01 itself has to let in.
# Site PRI, from site.yaml (sha256 061f503eabde8429b9396e492d781eb3471efa77db651cad7de5fc9d91ab4979), by portproof VERSION.
# Required flows only (--optional adds the optional ones).
# These are inbound rules of the host itself, not of a firewall on the way. Run it there as administrator (Windows Server 2012 and later).
# It replaces the rules of the group portproof; running it twice is running it once. Other rules of the host are left as they are.
# Only what the host blocks by default is held back: that inbound connections without a rule are blocked is the default of each profile.

Remove-NetFirewallRule -Group 'portproof' -ErrorAction SilentlyContinue

# cm01>sqlrep01:1433/tcp (required): With a push subscription the site database connects to the replica and delivers changes.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>sqlrep01:1433/tcp' -Description 'cm01>sqlrep01:1433/tcp (required): With a push subscription the site database connects to the replica and delivers changes.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 1433 -RemoteAddress '10.0.0.5'
