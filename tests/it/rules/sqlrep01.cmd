@echo off
rem What the firewall of sqlrep01 itself has to let in.
rem Site PRI, from site.yaml (sha256 061f503eabde8429b9396e492d781eb3471efa77db651cad7de5fc9d91ab4979), by portproof VERSION.
rem Required flows only (--optional adds the optional ones).
rem These are inbound rules of the host itself, not of a firewall on the way. Run it there as administrator (Windows Server 2008 and later).
rem It replaces rules of the same names; running it twice is running it once. Other rules of the host are left as they are.
rem Only what the host blocks by default is held back: that inbound connections without a rule are blocked is the default of each profile.
rem Where the system refuses a range of local ports, write RPC in its place: it stands for the dynamic RPC ports.

netsh advfirewall firewall delete rule name="portproof 1433 cm01 to sqlrep01:1433/tcp" >nul

rem cm01 to sqlrep01:1433/tcp (required): With a push subscription the site database connects to the replica and delivers changes.
netsh advfirewall firewall add rule name="portproof 1433 cm01 to sqlrep01:1433/tcp" dir=in action=allow protocol=TCP localport=1433 remoteip=10.0.0.5
