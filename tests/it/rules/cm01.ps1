# What the firewall of cm01 itself has to let in.
# Site PRI, from site.yaml (sha256 061f503eabde8429b9396e492d781eb3471efa77db651cad7de5fc9d91ab4979), by portproof VERSION.
# Required flows only (--optional adds the optional ones).
# These are inbound rules of the host itself, not of a firewall on the way. Run it there as administrator (Windows Server 2012 and later).
# It replaces the rules of the group portproof; running it twice is running it once. Other rules of the host are left as they are.
# Only what the host blocks by default is held back: that inbound connections without a rule are blocked is the default of each profile.

Remove-NetFirewallRule -Group 'portproof' -ErrorAction SilentlyContinue

# ibs01>cm01:514/udp (required): =syslog
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof ibs01>cm01:514/udp' -Description 'ibs01>cm01:514/udp (required): =syslog' -Direction Inbound -Action Allow -Protocol UDP -LocalPort 514 -RemoteAddress '192.0.2.10'

# ibs01>cm01:514/udp (required): =syslog
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof ibs01>cm01:514/udp (IPv6)' -Description 'ibs01>cm01:514/udp (required): =syslog' -Direction Inbound -Action Allow -Protocol UDP -LocalPort 514 -RemoteAddress '2001:db8:2::10'

# intranet>cm01:443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof intranet>cm01:443/tcp' -Description 'intranet>cm01:443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 443 -RemoteAddress '10.0.0.0/8'

# intranet>cm01:443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof intranet>cm01:443/tcp (IPv6)' -Description 'intranet>cm01:443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 443 -RemoteAddress '2001:db8:3::/64'

# intranet>cm01:8443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof intranet>cm01:8443/tcp' -Description 'intranet>cm01:8443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 8443 -RemoteAddress '10.0.0.0/8'

# intranet>cm01:8443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof intranet>cm01:8443/tcp (IPv6)' -Description 'intranet>cm01:8443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 8443 -RemoteAddress '2001:db8:3::/64'

# intranet>cm01:8531/tcp (required): Clients of a native mode site scan for software updates over HTTPS.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof intranet>cm01:8531/tcp' -Description 'intranet>cm01:8531/tcp (required): Clients of a native mode site scan for software updates over HTTPS.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 8531 -RemoteAddress '10.0.0.0/8'

# intranet>cm01:8531/tcp (required): Clients of a native mode site scan for software updates over HTTPS.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof intranet>cm01:8531/tcp (IPv6)' -Description 'intranet>cm01:8531/tcp (required): Clients of a native mode site scan for software updates over HTTPS.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 8531 -RemoteAddress '2001:db8:3::/64'

# isa01>cm01:443/tcp (required): The proxy passes client requests on to the management point, from HTTPS to HTTPS only. The proxy passes client requests on to the distribution point, from HTTPS to HTTPS only.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof isa01>cm01:443/tcp' -Description 'isa01>cm01:443/tcp (required): The proxy passes client requests on to the management point, from HTTPS to HTTPS only. The proxy passes client requests on to the distribution point, from HTTPS to HTTPS only.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 443 -RemoteAddress '192.0.2.20'

# isa01>cm01:8443/tcp (required): The proxy passes client requests on to the management point, from HTTPS to HTTPS only. The proxy passes client requests on to the distribution point, from HTTPS to HTTPS only.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof isa01>cm01:8443/tcp' -Description 'isa01>cm01:8443/tcp (required): The proxy passes client requests on to the management point, from HTTPS to HTTPS only. The proxy passes client requests on to the distribution point, from HTTPS to HTTPS only.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 8443 -RemoteAddress '192.0.2.20'

# isa01>cm01:8531/tcp (required): The proxy passes update scans on to the software update point, from HTTPS to HTTPS only.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof isa01>cm01:8531/tcp' -Description 'isa01>cm01:8531/tcp (required): The proxy passes update scans on to the software update point, from HTTPS to HTTPS only.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 8531 -RemoteAddress '192.0.2.20'

# ops01>cm01:135/tcp (required): The console first asks the site server over WMI where the SMS Provider is.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof ops01>cm01:135/tcp' -Description 'ops01>cm01:135/tcp (required): The console first asks the site server over WMI where the SMS Provider is.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 135 -RemoteAddress '10.0.0.9'

# ops02>cm01:135/tcp (required): The console first asks the site server over WMI where the SMS Provider is.
New-NetFirewallRule -Group 'portproof' -DisplayName 'portproof ops02>cm01:135/tcp' -Description 'ops02>cm01:135/tcp (required): The console first asks the site server over WMI where the SMS Provider is.' -Direction Inbound -Action Allow -Protocol TCP -LocalPort 135 -RemoteAddress '10.0.0.10'
