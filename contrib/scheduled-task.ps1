# Registers a daily check as a Windows scheduled task. Run once as an administrator, on Windows 8, Windows Server 2012 or
# later. First copy portproof-VERSION-x86_64-windows.exe as portproof.exe, and daily-check.cmd, into one folder, and your
# site file to C:\ProgramData\portproof\probes.yaml.
# The task's last result is the exit status: 0 nothing changed since the run before, 4 something did, 2 there is no report.
# With -EachRun it says how things stand at each run: 0 nothing wrong, 1 something is, 2 no report, 3 something unknown.
# C:\ProgramData\portproof\reports\last.txt is what the last run said. It begins with the time at which the run started.
# C:\ProgramData\portproof\history has all runs: portproof history --keep C:\ProgramData\portproof\history
# On Windows 7 and Windows Server 2008 R2, which lack these cmdlets, the same in five lines for cmd:
#   md "C:\ProgramData\portproof\reports"
#   md "C:\ProgramData\portproof\history"
#   icacls "C:\ProgramData\portproof\reports" /grant "*S-1-5-19:(OI)(CI)M"
#   icacls "C:\ProgramData\portproof\history" /grant "*S-1-5-19:(OI)(CI)M"
#   schtasks /Create /TN portproof /SC DAILY /ST 06:00 /RU "NT AUTHORITY\LOCAL SERVICE" /TR "'C:\Program Files\portproof\daily-check.cmd' --notify-on change --from internet"
param(
    [string]$Folder = "C:\Program Files\portproof",
    [string]$Options = "",
    [string]$At = "06:00",
    [switch]$EachRun
)
$program = Join-Path $Folder "portproof.exe"
$check = Join-Path $Folder "daily-check.cmd"
$site = Join-Path $env:ProgramData "portproof\probes.yaml"
foreach ($file in $program, $check, $site) {
    if (-not (Test-Path -LiteralPath $file)) { throw "$file is not there" }
}
# The task runs as LOCAL SERVICE (S-1-5-19), which may write to these two and nowhere else.
foreach ($name in "reports", "history") {
    $writable = Join-Path $env:ProgramData "portproof\$name"
    New-Item -ItemType Directory -Force -Path $writable | Out-Null
    icacls $writable /grant "*S-1-5-19:(OI)(CI)M" | Out-Null
    if ($LASTEXITCODE -ne 0) { throw "LOCAL SERVICE cannot be given the right to write to $writable" }
}
$notify = if ($EachRun) { "" } else { "--notify-on change " }

# cmd takes off the outer quotes of what follows /c and runs the rest.
$action = New-ScheduledTaskAction -Execute "$env:SystemRoot\System32\cmd.exe" -Argument "/d /c `"`"$check`" $notify$Options`""
$trigger = New-ScheduledTaskTrigger -Daily -At $At
$principal = New-ScheduledTaskPrincipal -UserId "NT AUTHORITY\LOCAL SERVICE" -LogonType ServiceAccount
$settings = New-ScheduledTaskSettingsSet -StartWhenAvailable -ExecutionTimeLimit (New-TimeSpan -Hours 6)
Register-ScheduledTask -TaskName "portproof" -Action $action -Trigger $trigger -Principal $principal -Settings $settings -Force -Description "Checks the firewalls around the Configuration Manager site"
