using System.Text.RegularExpressions;
using Rpat.Tests.Support;

namespace Rpat.Tests;

/// <summary>
/// What a comment or a page refers to is there: pages, their numbered sections, what a section numbers itself, anchors of links, and the
/// files that pages name.
/// </summary>
public sealed partial class DocumentationTests
{
    private static readonly string[] _folders = ["benchmarks", "docs", "engine", "models", "samples", "tests"];
    private static readonly string[] _referring = [".cs", ".csproj", ".md", ".py", ".sh", ".yaml"];
    // by the program, not by us
    private static readonly string[] _written = ["table.md", "bench-kernels.md", "card.md", "net.pt.card.md", "alien.onnx.card.md"];

    private static readonly string[] _files = [.. Tracked()];
    private static readonly Dictionary<string, Page> _pages =
        _files.Where(file => file.EndsWith(".md", StringComparison.Ordinal)).ToDictionary(file => file, file => new Page(Read(file)));

    [Fact]
    public void EveryReferenceToAPageLeadsToItsSection() => None(
        from file in _files
        where _referring.Contains(Path.GetExtension(file)) && Path.GetFileName(file) != nameof(DocumentationTests) + ".cs"
        let text = Read(file)
        where text.Contains(".md", StringComparison.Ordinal)
        from Match reference in References().Matches(LineBreaks().Replace(text, " "))
        from problem in Problems(file, reference)
        select $"{file}: '{reference.Value.Trim()}' {problem}");

    [Fact]
    public void EveryLinkLeadsToAFileAndItsHeading() => None(
        from file in _pages.Keys
        from Match link in Links().Matches(Code().Replace(Read(file), ""))
        let target = Inside(file, link.Groups["path"].Value)
        let anchor = link.Groups["anchor"].Value
        where !Path.Exists(Repository.File(target)) || (anchor.Length > 0 && !_pages[target].Anchors.Contains(anchor))
        select $"{file} links to {link.Groups["path"].Value}{(anchor.Length > 0 ? "#" : "")}{anchor}");

    [Fact]
    public void ThePackagesPageIsReadWithoutTheOthers() => Assert.DoesNotContain("](",
        _pages["docs/package.md"].Text, StringComparison.Ordinal);

    [Fact]
    public void EveryFileThatAPageNamesIsThere() => None(
        from file in _pages.Keys
        from Match span in Spans().Matches(Fences().Replace(Read(file), ""))
        let name = span.Groups[1].Value
        where IsPath(name) && !Exists(file, name)
        select $"{file} names {name}");

    [Theory]
    [InlineData("methods.md 2.99")]
    [InlineData("methods.md section 11")]
    [InlineData("methods.md 2.1 row Z")]
    [InlineData("methods.md section 8, number 17")]
    [InlineData("methods.md 1.9(z)")]
    [InlineData("attacks.md 0.4 rule 9")]
    [InlineData("attacks.md 4.3: P26")]
    [InlineData("attacks.md 2.2 to 2.99")]
    [InlineData("nothing.md")]
    public void AReferenceThatLeadsNowhereIsFound(string reference) =>
        Assert.NotEmpty(Problems("README.md", References().Match(reference)));

    private static IEnumerable<string> Problems(string file, Match reference)
    {
        string path = reference.Groups["path"].Value;
        if (_written.Contains(path)) yield break;
        if (Target(file, path) is not { } page)
        {
            yield return "is no page";
            yield break;
        }
        string section = _pages[page].Text;
        foreach (Capture number in reference.Groups["number"].Captures)
            if (_pages[page].Sections.TryGetValue(number.Value, out string? found)) section = found;
            else yield return $"has no section {number.Value} in {page}";
        if (reference.Groups["letter"] is { Success: true } letter && !section.Contains($"({letter.Value})", StringComparison.Ordinal))
            yield return $"has no ({letter.Value}) there";
        foreach (Capture label in reference.Groups["label"].Captures)
            if (!Regex.IsMatch(section, $@"^(\| \**{label.Value}\** \||{label.Value}\. )", RegexOptions.Multiline))
                yield return $"has no {label.Value} there";
        foreach (Capture property in reference.Groups["property"].Captures)
            if (!Regex.IsMatch(_pages[page].Text, $@"\b{property.Value}\b")) yield return $"has no {property.Value} in {page}";
    }

    /// <summary>The page that a name means: beside the file, in docs, from the root, or the one whose path ends with it.</summary>
    private static string? Target(string file, string path)
    {
        string[] near = [Inside(file, path), "docs/" + path, path];
        return near.FirstOrDefault(_pages.ContainsKey)
            ?? _pages.Keys.SingleOrDefault(page => path.Contains('/') && page.EndsWith("/" + path, StringComparison.Ordinal));
    }

    private static bool IsPath(string name) => SourceName().IsMatch(name)
        || (name.Contains('/') && _folders.Contains(name.Split('/')[0]) && PathName().IsMatch(name));

    // NAME stands for any name.
    private static bool Exists(string page, string name)
    {
        if (Path.Exists(Repository.File(name)) || Path.Exists(Repository.File(Inside(page, name)))) return true;
        string any = Regex.Escape(name.Replace("NAME", "*", StringComparison.Ordinal)).Replace(@"\*", "[^/]*", StringComparison.Ordinal);
        return _files.Any(file => Regex.IsMatch(file, $"(^|/){any}$"));
    }

    /// <summary>A relative path of a file, from the root; an empty one is the file itself.</summary>
    private static string Inside(string file, string path)
    {
        string full = path.Length == 0 ? file : Path.Combine(Path.GetDirectoryName(file)!, path);
        return Path.GetRelativePath(Repository.Root, Path.GetFullPath(Repository.File(full)));
    }

    private static string Read(string file) => File.ReadAllText(Repository.File(file)).ReplaceLineEndings("\n");

    private static IEnumerable<string> Tracked() =>
        from folder in _folders.Select(name => Repository.File(name)).Where(Directory.Exists).Prepend(Repository.Root)
        let depth = folder == Repository.Root ? SearchOption.TopDirectoryOnly : SearchOption.AllDirectories
        from path in Directory.EnumerateFiles(folder, "*", depth)
        let file = Path.GetRelativePath(Repository.Root, path).Replace('\\', '/')
        where !Built().IsMatch(file)
        select file;

    private static void None(IEnumerable<string> problems)
    {
        string found = string.Join('\n', problems);
        Assert.True(found.Length == 0, found);
    }

    /// <summary>A page's headings: the text below each number, and the anchors that links may name.</summary>
    private sealed class Page
    {
        public Page(string text)
        {
            Text = text;
            Match[] headings = Headings().Matches(Fences().Replace(text, block => new string('\n', block.Length))).ToArray();
            Anchors = [.. headings.Select(h => NoSlug().Replace(h.Groups["title"].Value.ToLowerInvariant(), "").Replace(' ', '-'))];
            foreach (Match heading in headings.Where(h => h.Groups["number"].Success))
            {
                int level = heading.Groups["level"].Length;
                var next = headings.FirstOrDefault(h => h.Index > heading.Index && h.Groups["level"].Length <= level);
                Sections.Add(heading.Groups["number"].Value, text[heading.Index..(next?.Index ?? text.Length)]);
            }
        }

        public string Text { get; }

        public HashSet<string> Anchors { get; }

        public Dictionary<string, string> Sections { get; } = [];
    }

    // "methods.md 2.1 row A", "attacks.md section 1 and 2.3", "methods.md 1.9(a)", "attacks.md 0.4 rule 7", "attacks.md 4.3: P1, P15"
    [GeneratedRegex("""
        (?<path>[A-Za-z0-9_][A-Za-z0-9_./-]*\.md)\b
        (?:(?:,|\ and|\ to)?\ (?:sections?\ )?(?<number>\d+(?:\.\d+)*)\b(?!\.\d)(?:\((?<letter>\w′?)\))?)*
        (?:,?\ (?:rows?|rule|number|item)\ (?<label>\w+)(?:(?:,|\ and)\ (?<label>[A-Z])\b)*)?
        (?:(?:,|:|;|\ to)\ (?<property>[PM]\d+))*
        """, RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex References();

    [GeneratedRegex(@"\n\s*(?:///?|\#)?[ \t]*")]
    private static partial Regex LineBreaks();

    [GeneratedRegex(@"\]\((?!https?:)(?<path>[^)\s#]*)(?:#(?<anchor>[^)\s]*))?\)")]
    private static partial Regex Links();

    [GeneratedRegex("^(?<level>#+) (?<title>(?:(?<number>[0-9]+(?:\\.[0-9]+)*)\\.? )?.*)$", RegexOptions.Multiline)]
    private static partial Regex Headings();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoSlug();

    [GeneratedRegex("^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fences();

    [GeneratedRegex("^```.*?^```|`[^`\n]*`", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex Spans();

    [GeneratedRegex(@"^[\w./*+-]+\.(?:cs|csproj|md|py|sh)\z")]
    private static partial Regex SourceName();

    [GeneratedRegex(@"^[\w./*+-]+\z")]
    private static partial Regex PathName();

    [GeneratedRegex("(^|/)(bin|obj|TestResults)/|(^|/)\\.")]
    private static partial Regex Built();
}
