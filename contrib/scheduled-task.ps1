# Registers a daily check as a Windows scheduled task. Run once as an administrator, on Windows 8, Windows Server 2012 or
# later. First copy portproof-VERSION-x86_64-windows.exe as portproof.exe, and daily-check.cmd, into one folder, and your
# site file to C:\ProgramData\portproof\probes.yaml.
# The task's last result is the exit status: 0 nothing wrong, 1 something is, 2 wrong file, 3 something unknown.
# C:\ProgramData\portproof\reports\last.txt is what the last run said. It begins with the time at which the run started.
# On Windows 7 and Windows Server 2008 R2, which lack these cmdlets, the same in three lines for cmd:
#   md "C:\ProgramData\portproof\reports"
#   icacls "C:\ProgramData\portproof\reports" /grant "*S-1-5-19:(OI)(CI)M"
#   schtasks /Create /TN portproof /SC DAILY /ST 06:00 /RU "NT AUTHORITY\LOCAL SERVICE" /TR "'C:\Program Files\portproof\daily-check.cmd' --from internet"
param(
    [string]$Folder = "C:\Program Files\portproof",
    [string]$Options = "",
    [string]$At = "06:00"
)
$program = Join-Path $Folder "portproof.exe"
$check = Join-Path $Folder "daily-check.cmd"
$site = Join-Path $env:ProgramData "portproof\probes.yaml"
foreach ($file in $program, $check, $site) {
    if (-not (Test-Path -LiteralPath $file)) { throw "$file is not there" }
}
# The task runs as LOCAL SERVICE (S-1-5-19), which may write here and nowhere else.
$reports = Join-Path $env:ProgramData "portproof\reports"
New-Item -ItemType Directory -Force -Path $reports | Out-Null
icacls $reports /grant "*S-1-5-19:(OI)(CI)M" | Out-Null
if ($LASTEXITCODE -ne 0) { throw "LOCAL SERVICE cannot be given the right to write to $reports" }

# cmd takes off the outer quotes of what follows /c and runs the rest.
$action = New-ScheduledTaskAction -Execute "$env:SystemRoot\System32\cmd.exe" -Argument "/d /c `"`"$check`" $Options`""
$trigger = New-ScheduledTaskTrigger -Daily -At $At
$principal = New-ScheduledTaskPrincipal -UserId "NT AUTHORITY\LOCAL SERVICE" -LogonType ServiceAccount
$settings = New-ScheduledTaskSettingsSet -StartWhenAvailable -ExecutionTimeLimit (New-TimeSpan -Hours 6)
Register-ScheduledTask -TaskName "portproof" -Action $action -Trigger $trigger -Principal $principal -Settings $settings -Force -Description "Checks the firewalls around the Configuration Manager site"
