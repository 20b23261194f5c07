@echo off
rem What the firewall of ops01 itself has to let in.
rem Site PRI, from site.yaml (sha256 061f503eabde8429b9396e492d781eb3471efa77db651cad7de5fc9d91ab4979), by portproof VERSION.
rem Required flows only (--optional adds the optional ones).
rem These are inbound rules of the host itself, not of a firewall on the way. Run it there as administrator (Windows Server 2008 and later).
rem It replaces rules of the same names; running it twice is running it once. Other rules of the host are left as they are.
rem Only what the host blocks by default is held back: that inbound connections without a rule are blocked is the default of each profile.
rem Where the system refuses a range of local ports, write RPC in its place: it stands for the dynamic RPC ports.

netsh advfirewall firewall delete rule name="portproof 22 internet to ops01:2201/tcp" >nul

rem internet to ops01:2201/tcp (required): maintenance by a supplier
netsh advfirewall firewall add rule name="portproof 22 internet to ops01:2201/tcp" dir=in action=allow protocol=TCP localport=22 remoteip=0.0.0.0-9.255.255.255,11.0.0.0-192.0.1.255,192.0.3.0-255.255.255.255
