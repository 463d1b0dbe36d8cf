using System.Text.RegularExpressions;

namespace Rpat.PtxMachine.Text;

internal enum StatementKind
{
    Directive,
    Entry,
    Label,
    Open,
    Close,
    Instruction,
}

/// <summary>A piece of a text and the line on which it begins.</summary>
internal readonly record struct Statement(StatementKind Kind, int Line, string Text);

/// <summary>Cuts a PTX text into statements.</summary>
internal sealed partial class Reader(string kernel, string source)
{
    private readonly string _text = CommentPattern().Replace(source, comment => new string('\n', comment.Value.Count(c => c == '\n')));
    private readonly List<Statement> _statements = [];
    private int _start = -1, _line = 1, _startLine, _depth;

    public static List<Statement> Read(string kernel, string source) => new Reader(kernel, source).ReadAll();

    private List<Statement> ReadAll()
    {
        for (int at = 0; at < _text.Length; at++)
        {
            if (_start < 0) Begin(at);
            else Continue(at);
            if (_text[at] == '\n') _line++;
        }
        if (_start >= 0) throw new PtxTextException(kernel, _startLine, Current(_text.Length), "the statement does not end");
        return _statements;
    }

    private void Begin(int at)
    {
        char c = _text[at];
        if (c == '{') Add(StatementKind.Open, _line, "{");
        else if (c == '}') Add(StatementKind.Close, _line, "}");
        else if (c != ';' && !char.IsWhiteSpace(c)) (_start, _startLine, _depth) = (at, _line, 0);
    }

    private void Continue(int at)
    {
        switch (_text[at])
        {
            case '\n' when LineDirectivePattern().IsMatch(Current(at)): End(at, StatementKind.Directive); break;
            case '{' when EntryPattern().IsMatch(Current(at)):
                End(at, StatementKind.Entry);
                Add(StatementKind.Open, _line, "{");
                break;
            case '{': _depth++; break;
            case '}': _depth--; break;
            case ':' when _depth == 0 && LabelPattern().IsMatch(Current(at)): End(at, StatementKind.Label); break;
            case ';': End(at, _text[_start] == '.' ? StatementKind.Directive : StatementKind.Instruction); break;
        }
    }

    private string Current(int end) => SpacePattern().Replace(_text[_start..end].Trim(), " ");

    private void End(int at, StatementKind kind)
    {
        Add(kind, _startLine, Current(at));
        _start = -1;
    }

    private void Add(StatementKind kind, int line, string text) => _statements.Add(new Statement(kind, line, text));

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/", RegexOptions.Singleline)]
    private static partial Regex CommentPattern();

    [GeneratedRegex(@"\.(entry|func)\b")]
    private static partial Regex EntryPattern();

    [GeneratedRegex(@"^\.(version|target|address_size|loc|file)\b")]
    private static partial Regex LineDirectivePattern();

    [GeneratedRegex(@"^[$A-Za-z_][\w$]*$")]
    private static partial Regex LabelPattern();

    [GeneratedRegex(@"\s+")]
    private static partial Regex SpacePattern();
}
