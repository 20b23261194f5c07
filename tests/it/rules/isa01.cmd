@echo off
rem What the firewall of isa01 itself has to let in.
rem Site PRI, from site.yaml (sha256 061f503eabde8429b9396e492d781eb3471efa77db651cad7de5fc9d91ab4979), by portproof VERSION.
rem Required flows only (--optional adds the optional ones).
rem These are inbound rules of the host itself, not of a firewall on the way. Run it there as administrator (Windows Server 2008 and later).
rem It replaces rules of the same names; running it twice is running it once. Other rules of the host are left as they are.
rem Only what the host blocks by default is held back: that inbound connections without a rule are blocked is the default of each profile.
rem Where the system refuses a range of local ports, write RPC in its place: it stands for the dynamic RPC ports.

netsh advfirewall firewall delete rule name="portproof 443 internet to isa01:443/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 8443 internet to isa01:8443/tcp" >nul
netsh advfirewall firewall delete rule name="portproof 8531 internet to isa01:8531/tcp" >nul

rem internet to isa01:443/tcp (required): Internet clients reach the published management point and distribution point through the proxy. The proxy ends TLS and opens its own session to cm01.
netsh advfirewall firewall add rule name="portproof 443 internet to isa01:443/tcp" dir=in action=allow protocol=TCP localport=443 remoteip=0.0.0.0-9.255.255.255,11.0.0.0-192.0.1.255,192.0.3.0-255.255.255.255

rem internet to isa01:8443/tcp (required): Internet clients reach the published management point and distribution point through the proxy. The proxy ends TLS and opens its own session to cm01.
netsh advfirewall firewall add rule name="portproof 8443 internet to isa01:8443/tcp" dir=in action=allow protocol=TCP localport=8443 remoteip=0.0.0.0-9.255.255.255,11.0.0.0-192.0.1.255,192.0.3.0-255.255.255.255

rem internet to isa01:8531/tcp (required): Internet clients reach the published software update point through the proxy, on its SSL port. The proxy ends TLS and opens its own session to cm01.
netsh advfirewall firewall add rule name="portproof 8531 internet to isa01:8531/tcp" dir=in action=allow protocol=TCP localport=8531 remoteip=0.0.0.0-9.255.255.255,11.0.0.0-192.0.1.255,192.0.3.0-255.255.255.255
