# Registers a daily check as a Windows scheduled task. Run once as an administrator.
# The task's last result is the exit status: 0 nothing wrong, 1 something is, 2 wrong file, 3 something unknown.
param(
    [string]$Program = "C:\Program Files\portproof\portproof.exe",
    [string]$SiteFile = "C:\ProgramData\portproof\probes.yaml",
    [string]$Report = "C:\ProgramData\portproof\last.txt",
    [string]$At = "06:00"
)
$action = New-ScheduledTaskAction -Execute $Program -Argument "check `"$SiteFile`" --output `"$Report`""
$trigger = New-ScheduledTaskTrigger -Daily -At $At
$principal = New-ScheduledTaskPrincipal -UserId "NT AUTHORITY\LOCAL SERVICE" -LogonType ServiceAccount
Register-ScheduledTask -TaskName "portproof" -Action $action -Trigger $trigger -Principal $principal -Description "Checks the firewalls around the Configuration Manager site"
