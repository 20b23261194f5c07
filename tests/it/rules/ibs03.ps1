# What the firewall of ibs03 itself has to let in.
# Site PRI, from site.yaml (sha256 061f503eabde8429b9396e492d781eb3471efa77db651cad7de5fc9d91ab4979), by portproof VERSION.
# Required flows only (--optional adds the optional ones).
# These are inbound rules of the host itself, not of a firewall on the way. Run it there as administrator (Windows Server 2012 and later).
# It replaces the rules of the group portproof; running it twice is running it once. Other rules of the host are left as they are.
# Only what the host blocks by default is held back: that inbound connections without a rule are blocked is the default of each profile.

Remove-NetFirewallRule -Group 'portproof' -ErrorAction SilentlyContinue

# cm01>ibs03:135/tcp (required): The site server asks the endpoint mapper for the RPC services it needs when it installs the distribution point or a package on it.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs03:135/tcp' -Description 'cm01>ibs03:135/tcp (required): The site server asks the endpoint mapper for the RPC services it needs when it installs the distribution point or a package on it.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 135 -RemoteAddress '10.0.0.5'

# cm01>ibs03:135/tcp (required): The site server asks the endpoint mapper for the RPC services it needs when it installs the distribution point or a package on it.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs03:135/tcp (IPv6)' -Description 'cm01>ibs03:135/tcp (required): The site server asks the endpoint mapper for the RPC services it needs when it installs the distribution point or a package on it.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 135 -RemoteAddress '2001:db8:3::5'

# cm01>ibs03:445/tcp (required): The site server copies the role's files and the content of packages to the distribution point.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs03:445/tcp' -Description 'cm01>ibs03:445/tcp (required): The site server copies the role''s files and the content of packages to the distribution point.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 445 -RemoteAddress '10.0.0.5'

# cm01>ibs03:445/tcp (required): The site server copies the role's files and the content of packages to the distribution point.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs03:445/tcp (IPv6)' -Description 'cm01>ibs03:445/tcp (required): The site server copies the role''s files and the content of packages to the distribution point.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 445 -RemoteAddress '2001:db8:3::5'

# cm01>ibs03:49152-65535/tcp (required): RPC work on the distribution point goes on at the dynamic port that its endpoint mapper names.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs03:49152-65535/tcp' -Description 'cm01>ibs03:49152-65535/tcp (required): RPC work on the distribution point goes on at the dynamic port that its endpoint mapper names.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 49152-65535 -RemoteAddress '10.0.0.5'

# cm01>ibs03:49152-65535/tcp (required): RPC work on the distribution point goes on at the dynamic port that its endpoint mapper names.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof cm01>ibs03:49152-65535/tcp (IPv6)' -Description 'cm01>ibs03:49152-65535/tcp (required): RPC work on the distribution point goes on at the dynamic port that its endpoint mapper names.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 49152-65535 -RemoteAddress '2001:db8:3::5'

# internet>nlb:443/tcp (required): Internet clients download packages and software updates.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof internet>nlb:443/tcp' -Description 'internet>nlb:443/tcp (required): Internet clients download packages and software updates.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 443 -RemoteAddress '0.0.0.0-9.255.255.255', '11.0.0.0-192.0.1.255', '192.0.3.0-255.255.255.255'

# internet>nlb:8443/tcp (required): Internet clients download packages and software updates.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof internet>nlb:8443/tcp' -Description 'internet>nlb:8443/tcp (required): Internet clients download packages and software updates.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 8443 -RemoteAddress '0.0.0.0-9.255.255.255', '11.0.0.0-192.0.1.255', '192.0.3.0-255.255.255.255'
