@echo off
rem One check, as the scheduled task runs it: daily-check.cmd [OPTIONS of portproof check]
rem It is kept in the history, which is in the folder "history" beside the site file.
rem What it says goes to last.txt, the report as well as errors. The file of the run before is removed first, so that it is
rem never taken for this one's. The run has ended when the last line says its exit status, which is the task's last result.
setlocal DisableDelayedExpansion
set "program=%~dp0portproof.exe"
set "folder=%ProgramData%\portproof"
set "report=%folder%\reports\last.txt"

if exist "%report%" del /f /q "%report%"
if exist "%report%" goto locked
>"%report%" echo portproof on %COMPUTERNAME%, started on %DATE% at %TIME%
if not exist "%report%" goto locked

set "status=2"
if not exist "%program%" goto missing
"%program%" check "%folder%\probes.yaml" --keep "%folder%\history" %* >>"%report%" 2>&1
set "status=%ERRORLEVEL%"
goto ended
:missing
>>"%report%" echo %program% is not there
:ended
set "means=no report: portproof did not run to its end"
if "%status%"=="0" set "means=nothing wrong, or with --notify-on nothing changed"
if "%status%"=="1" set "means=something is wrong"
if "%status%"=="2" set "means=no report: the command or a file is wrong, or portproof failed"
if "%status%"=="3" set "means=nothing is wrong, but something is unknown"
if "%status%"=="4" set "means=something changed"
>>"%report%" echo.
>>"%report%" echo Exit status %status% on %DATE% at %TIME%: %means%
exit /b %status%

:locked
echo %report% cannot be written: is it open in another program, or its folder missing?
exit /b 2
