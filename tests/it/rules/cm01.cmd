@echo off
rem What the firewall of cm01 itself has to let in.
rem Site PRI, from site.yaml (sha256 061f503eabde8429b9396e492d781eb3471efa77db651cad7de5fc9d91ab4979), by portproof VERSION.
rem Required flows only (--optional adds the optional ones).
rem These are inbound rules of the host itself, not of a firewall on the way. Run it there as administrator (Windows Server 2008 and later).
rem It replaces rules of the same names; running it twice is running it once. Other rules of the host are left as they are.
rem Only what the host blocks by default is held back: that inbound connections without a rule are blocked is the default of each profile.
rem Where the system refuses a range of local ports, write RPC in its place: it stands for the dynamic RPC ports.

netsh advfirewall firewall delete rule name="portproof 135 ops01 to cm01:135/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 135 ops02 to cm01:135/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 443 IPv6 intranet to cm01:443/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 443 intranet to cm01:443/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 443 isa01 to cm01:443/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 514 IPv6 ibs01 to cm01:514/udp" >nul
netsh advfirewall firewall delete rule name="portproof 514 ibs01 to cm01:514/udp" >nul
netsh advfirewall firewall delete rule name="portproof 8443 IPv6 intranet to cm01:8443/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 8443 intranet to cm01:8443/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 8443 isa01 to cm01:8443/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 8531 IPv6 intranet to cm01:8531/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 8531 intranet to cm01:8531/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 8531 isa01 to cm01:8531/tcp" >nul

rem ibs01 to cm01:514/udp (required): =syslog
netsh advfirewall firewall add rule name="portproof 514 ibs01 to cm01:514/udp" dir=in action=allow protocol=UDP localport=514 remoteip=192.0.2.10

rem ibs01 to cm01:514/udp (required): =syslog
netsh advfirewall firewall add rule name="portproof 514 IPv6 ibs01 to cm01:514/udp" dir=in action=allow protocol=UDP localport=514 remoteip=2001:db8:2::10

rem intranet to cm01:443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.
netsh advfirewall firewall add rule name="portproof 443 intranet to cm01:443/tcp" dir=in action=allow protocol=TCP localport=443 remoteip=10.0.0.0/8

rem intranet to cm01:443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.
netsh advfirewall firewall add rule name="portproof 443 IPv6 intranet to cm01:443/tcp" dir=in action=allow protocol=TCP localport=443 remoteip=2001:db8:3::/64

rem intranet to cm01:8443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.
netsh advfirewall firewall add rule name="portproof 8443 intranet to cm01:8443/tcp" dir=in action=allow protocol=TCP localport=8443 remoteip=10.0.0.0/8

rem intranet to cm01:8443/tcp (required): Clients of a native mode site fetch policy and send inventory and status over HTTPS. Clients of a native mode site download packages and software updates over HTTPS.
netsh advfirewall firewall add rule name="portproof 8443 IPv6 intranet to cm01:8443/tcp" dir=in action=allow protocol=TCP localport=8443 remoteip=2001:db8:3::/64

rem intranet to cm01:8531/tcp (required): Clients of a native mode site scan for software updates over HTTPS.
netsh advfirewall firewall add rule name="portproof 8531 intranet to cm01:8531/tcp" dir=in action=allow protocol=TCP localport=8531 remoteip=10.0.0.0/8

rem intranet to cm01:8531/tcp (required): Clients of a native mode site scan for software updates over HTTPS.
netsh advfirewall firewall add rule name="portproof 8531 IPv6 intranet to cm01:8531/tcp" dir=in action=allow protocol=TCP localport=8531 remoteip=2001:db8:3::/64

rem isa01 to cm01:443/tcp (required): The proxy passes client requests on to the management point, from HTTPS to HTTPS only. The proxy passes client requests on to the distribution point, from HTTPS to HTTPS only.
netsh advfirewall firewall add rule name="portproof 443 isa01 to cm01:443/tcp" dir=in action=allow protocol=TCP localport=443 remoteip=192.0.2.20

rem isa01 to cm01:8443/tcp (required): The proxy passes client requests on to the management point, from HTTPS to HTTPS only. The proxy passes client requests on to the distribution point, from HTTPS to HTTPS only.
netsh advfirewall firewall add rule name="portproof 8443 isa01 to cm01:8443/tcp" dir=in action=allow protocol=TCP localport=8443 remoteip=192.0.2.20

rem isa01 to cm01:8531/tcp (required): The proxy passes update scans on to the software update point, from HTTPS to HTTPS only.
netsh advfirewall firewall add rule name="portproof 8531 isa01 to cm01:8531/tcp" dir=in action=allow protocol=TCP localport=8531 remoteip=192.0.2.20

rem ops01 to cm01:135/tcp (required): The console first asks the site server over WMI where the SMS Provider is.
netsh advfirewall firewall add rule name="portproof 135 ops01 to cm01:135/tcp" dir=in action=allow protocol=TCP localport=135 remoteip=10.0.0.9

rem ops02 to cm01:135/tcp (required): The console first asks the site server over WMI where the SMS Provider is.
netsh advfirewall firewall add rule name="portproof 135 ops02 to cm01:135/tcp" dir=in action=allow protocol=TCP localport=135 remoteip=10.0.0.10
