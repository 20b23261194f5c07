@echo off
rem What the firewall of ibs01 itself has to let in.
rem Site PRI, from site.yaml (sha256 061f503eabde8429b9396e492d781eb3471efa77db651cad7de5fc9d91ab4979), by portproof VERSION.
rem Required flows only (--optional adds the optional ones).
rem These are inbound rules of the host itself, not of a firewall on the way. Run it there as administrator (Windows Server 2008 and later).
rem It replaces rules of the same names; running it twice is running it once. Other rules of the host are left as they are.
rem Only what the host blocks by default is held back: that inbound connections without a rule are blocked is the default of each profile.
rem Where the system refuses a range of local ports, write RPC in its place: it stands for the dynamic RPC ports.

netsh advfirewall firewall delete rule name="portproof 135 IPv6 cm01 to ibs01:135/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 135 cm01 to ibs01:135/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 3389 IPv6 intranet to ibs01:3389/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 3389 intranet to ibs01:3389/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 445 IPv6 cm01 to ibs01:445/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 445 cm01 to ibs01:445/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 49152-65535 IPv6 cm01 to ibs01:49152-65535/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 49152-65535 cm01 to ibs01:49152-65535/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 80 IPv6 internet to ibs01:80/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 80 internet to ibs01:80/tcp" >nul

rem cm01 to ibs01:135/tcp (required): The site server asks the endpoint mapper for the RPC services it needs when it installs or reconfigures the fallback status point.
netsh advfirewall firewall add rule name="portproof 135 cm01 to ibs01:135/tcp" dir=in action=allow protocol=TCP localport=135 remoteip=10.0.0.5

rem cm01 to ibs01:135/tcp (required): The site server asks the endpoint mapper for the RPC services it needs when it installs or reconfigures the fallback status point.
netsh advfirewall firewall add rule name="portproof 135 IPv6 cm01 to ibs01:135/tcp" dir=in action=allow protocol=TCP localport=135 remoteip=2001:db8:3::5

rem cm01 to ibs01:445/tcp (required): The site server copies files to the fallback status point to install and repair it. It fetches its messages where that system may not connect by itself.
netsh advfirewall firewall add rule name="portproof 445 cm01 to ibs01:445/tcp" dir=in action=allow protocol=TCP localport=445 remoteip=10.0.0.5

rem cm01 to ibs01:445/tcp (required): The site server copies files to the fallback status point to install and repair it. It fetches its messages where that system may not connect by itself.
netsh advfirewall firewall add rule name="portproof 445 IPv6 cm01 to ibs01:445/tcp" dir=in action=allow protocol=TCP localport=445 remoteip=2001:db8:3::5

rem cm01 to ibs01:49152-65535/tcp (required): RPC work on the fallback status point goes on at the dynamic port that its endpoint mapper names.
netsh advfirewall firewall add rule name="portproof 49152-65535 cm01 to ibs01:49152-65535/tcp" dir=in action=allow protocol=TCP localport=49152-65535 remoteip=10.0.0.5

rem cm01 to ibs01:49152-65535/tcp (required): RPC work on the fallback status point goes on at the dynamic port that its endpoint mapper names.
netsh advfirewall firewall add rule name="portproof 49152-65535 IPv6 cm01 to ibs01:49152-65535/tcp" dir=in action=allow protocol=TCP localport=49152-65535 remoteip=2001:db8:3::5

rem internet to ibs01:80/tcp (required): Internet clients that cannot reach a management point, or whose certificate fails, report it here over plain HTTP.
netsh advfirewall firewall add rule name="portproof 80 internet to ibs01:80/tcp" dir=in action=allow protocol=TCP localport=80 remoteip=0.0.0.0-9.255.255.255,11.0.0.0-192.0.1.255,192.0.3.0-255.255.255.255

rem internet to ibs01:80/tcp (required): Internet clients that cannot reach a management point, or whose certificate fails, report it here over plain HTTP.
netsh advfirewall firewall add rule name="portproof 80 IPv6 internet to ibs01:80/tcp" dir=in action=allow protocol=TCP localport=80 remoteip=::-2001:db8:1:ffff:ffff:ffff:ffff:ffff,2001:db8:2:1::-2001:db8:2:ffff:ffff:ffff:ffff:ffff,2001:db8:3:1::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff

rem intranet to ibs01:3389/tcp (required): administration ('RDP'), _ber 'Jump'. $(reboot) 'x' / rule 2: permit any
netsh advfirewall firewall add rule name="portproof 3389 intranet to ibs01:3389/tcp" dir=in action=allow protocol=TCP localport=3389 remoteip=10.0.0.0-10.0.0.4,10.0.0.6-10.255.255.255

rem intranet to ibs01:3389/tcp (required): administration ('RDP'), _ber 'Jump'. $(reboot) 'x' / rule 2: permit any
netsh advfirewall firewall add rule name="portproof 3389 IPv6 intranet to ibs01:3389/tcp" dir=in action=allow protocol=TCP localport=3389 remoteip=2001:db8:3::-2001:db8:3::4,2001:db8:3::6-2001:db8:3:0:ffff:ffff:ffff:ffff
