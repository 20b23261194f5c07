# Registers a daily check as a Windows scheduled task. Run once as an administrator, on Windows 8, Windows Server 2012 or
# later. The task's last result is the exit status: 0 nothing wrong, 1 something is, 2 wrong file, 3 something unknown.
# First copy portproof-VERSION-x86_64-windows.exe and your site file to where the parameters say. On Windows 7 and Windows
# Server 2008 R2, which lack these cmdlets, the same in one line (single quotes are what schtasks wants):
#   schtasks /Create /TN portproof /SC DAILY /ST 06:00 /RU "NT AUTHORITY\LOCAL SERVICE" /TR "'C:\Program Files\portproof\portproof.exe' check 'C:\ProgramData\portproof\probes.yaml' --output 'C:\ProgramData\portproof\last.txt'"
param(
    [string]$Program = "C:\Program Files\portproof\portproof.exe",
    [string]$SiteFile = "C:\ProgramData\portproof\probes.yaml",
    [string]$Report = "C:\ProgramData\portproof\last.txt",
    [string]$At = "06:00"
)
foreach ($file in $Program, $SiteFile) {
    if (-not (Test-Path -LiteralPath $file)) { throw "$file is not there" }
}
$action = New-ScheduledTaskAction -Execute $Program -Argument "check `"$SiteFile`" --output `"$Report`""
$trigger = New-ScheduledTaskTrigger -Daily -At $At
$principal = New-ScheduledTaskPrincipal -UserId "NT AUTHORITY\LOCAL SERVICE" -LogonType ServiceAccount
Register-ScheduledTask -TaskName "portproof" -Action $action -Trigger $trigger -Principal $principal -Description "Checks the firewalls around the Configuration Manager site"
