# What the firewall of ibs01 itself has to let in.
# Site PRI, from site.yaml (sha256 061f503eabde8429b9396e492d781eb3471efa77db651cad7de5fc9d91ab4979), by portproof VERSION.
# Required flows only (--optional adds the optional ones).
# These are inbound rules of the host itself, not of a firewall on the way. Run it there as administrator (Windows Server 2012 and later).
# It replaces the rules of the group portproof; running it twice is running it once. Other rules of the host are left as they are.
# Only what the host blocks by default is held back: that inbound connections without a rule are blocked is the default of each profile.

Remove-NetFirewallRule -Group 'portproof' -ErrorAction SilentlyContinue

# cm01>ibs01:135/tcp (required): The site server asks the endpoint mapper for the RPC services it needs when it installs or reconfigures the fallback status point.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs01:135/tcp' -Description 'cm01>ibs01:135/tcp (required): The site server asks the endpoint mapper for the RPC services it needs when it installs or reconfigures the fallback status point.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 135 -RemoteAddress '10.0.0.5'

# cm01>ibs01:135/tcp (required): The site server asks the endpoint mapper for the RPC services it needs when it installs or reconfigures the fallback status point.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs01:135/tcp (IPv6)' -Description 'cm01>ibs01:135/tcp (required): The site server asks the endpoint mapper for the RPC services it needs when it installs or reconfigures the fallback status point.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 135 -RemoteAddress '2001:db8:3::5'

# cm01>ibs01:445/tcp (required): The site server copies files to the fallback status point to install and repair it. It fetches its messages where that system may not connect by itself.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs01:445/tcp' -Description 'cm01>ibs01:445/tcp (required): The site server copies files to the fallback status point to install and repair it. It fetches its messages where that system may not connect by itself.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 445 -RemoteAddress '10.0.0.5'

# cm01>ibs01:445/tcp (required): The site server copies files to the fallback status point to install and repair it. It fetches its messages where that system may not connect by itself.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs01:445/tcp (IPv6)' -Description 'cm01>ibs01:445/tcp (required): The site server copies files to the fallback status point to install and repair it. It fetches its messages where that system may not connect by itself.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 445 -RemoteAddress '2001:db8:3::5'

# cm01>ibs01:49152-65535/tcp (required): RPC work on the fallback status point goes on at the dynamic port that its endpoint mapper names.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs01:49152-65535/tcp' -Description 'cm01>ibs01:49152-65535/tcp (required): RPC work on the fallback status point goes on at the dynamic port that its endpoint mapper names.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 49152-65535 -RemoteAddress '10.0.0.5'

# cm01>ibs01:49152-65535/tcp (required): RPC work on the fallback status point goes on at the dynamic port that its endpoint mapper names.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs01:49152-65535/tcp (IPv6)' -Description 'cm01>ibs01:49152-65535/tcp (required): RPC work on the fallback status point goes on at the dynamic port that its endpoint mapper names.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 49152-65535 -RemoteAddress '2001:db8:3::5'

# internet>ibs01:80/tcp (required): Internet clients that cannot reach a management point, or whose certificate fails, report it here over plain HTTP.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof internet>ibs01:80/tcp' -Description 'internet>ibs01:80/tcp (required): Internet clients that cannot reach a management point, or whose certificate fails, report it here over plain HTTP.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 80 -RemoteAddress '0.0.0.0-9.255.255.255', '11.0.0.0-192.0.1.255', '192.0.3.0-255.255.255.255'

# internet>ibs01:80/tcp (required): Internet clients that cannot reach a management point, or whose certificate fails, report it here over plain HTTP.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof internet>ibs01:80/tcp (IPv6)' -Description 'internet>ibs01:80/tcp (required): Internet clients that cannot reach a management point, or whose certificate fails, report it here over plain HTTP.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 80 -RemoteAddress '::-2001:db8:1:ffff:ffff:ffff:ffff:ffff', '2001:db8:2:1::-2001:db8:2:ffff:ffff:ffff:ffff:ffff', '2001:db8:3:1::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'

# intranet>ibs01:3389/tcp (required): administration ('RDP'), _ber 'Jump'. $(reboot) 'x' / rule 2: permit any
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof intranet>ibs01:3389/tcp' -Description 'intranet>ibs01:3389/tcp (required): administration (''RDP''), _ber ''Jump''. $(reboot) ''x'' / rule 2: permit any' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 3389 -RemoteAddress '10.0.0.0-10.0.0.4', '10.0.0.6-10.255.255.255'

# intranet>ibs01:3389/tcp (required): administration ('RDP'), _ber 'Jump'. $(reboot) 'x' / rule 2: permit any
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof intranet>ibs01:3389/tcp (IPv6)' -Description 'intranet>ibs01:3389/tcp (required): administration (''RDP''), _ber ''Jump''. $(reboot) ''x'' / rule 2: permit any' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 3389 -RemoteAddress '2001:db8:3::-2001:db8:3::4', '2001:db8:3::6-2001:db8:3:0:ffff:ffff:ffff:ffff'
