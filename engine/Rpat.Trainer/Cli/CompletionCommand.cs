using System.CommandLine;

namespace Rpat.Trainer.Cli;

/// <summary>
/// <c>rpat completion SHELL</c>: a script for a shell's start-up file. It asks the program itself what is possible at the cursor.
/// </summary>
internal static class CompletionCommand
{
    private static readonly (string Shell, string Use, string Script)[] _shells =
    [
        ("bash", "source <(rpat completion bash), in ~/.bashrc", """
            _rpat() {
              local IFS=$'\n' typed="${COMP_LINE:0:COMP_POINT}" answer
              typed="${typed##*[[:space:]=]}"
              COMPREPLY=()
              for answer in $(rpat "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null); do
                # bash replaces what follows the last colon
                [[ "$answer" == "$typed"* ]] && COMPREPLY+=("${answer#"${typed%"${typed##*:}"}"}")
              done
            }
            complete -o default -F _rpat rpat
            """),
        ("zsh", "source <(rpat completion zsh), in ~/.zshrc behind compinit", """
            _rpat() {
              local -a answers
              answers=("${(@f)$(rpat "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
              compadd -- ${answers:#} || _files
            }
            compdef _rpat rpat
            """),
        ("fish", "rpat completion fish | source, in ~/.config/fish/config.fish", """
            complete -c rpat -a '(rpat "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'
            """),
        ("pwsh", "rpat completion pwsh | Out-String | Invoke-Expression, in $PROFILE", """
            Register-ArgumentCompleter -Native -CommandName rpat -ScriptBlock {
              param($word, $line, $cursor)
              rpat "[suggest:$cursor]" "$line" 2>$null | ForEach-Object {
                [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
              }
            }
            """),
    ];

    /// <summary>The command, to be added to the root.</summary>
    public static Command Create(CommandContext host)
    {
        var command = new Command("completion", "Print a script that completes rpat's commands, options and names in a shell.");
        foreach (var (shell, use, script) in _shells)
        {
            var one = new Command(shell, $"For {shell}: {use}.");
            one.SetAction(_ =>
            {
                host.Out.Write($"# {use}\n{script.ReplaceLineEndings("\n")}\n");
                return ExitCode.Done;
            });
            command.Add(one);
        }

        return command;
    }
}
