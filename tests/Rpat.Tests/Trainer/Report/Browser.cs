using System.Net;

namespace Rpat.Tests.Trainer.Report;

/// <summary>Looks at pages in headless Chromium: each stands unchanged in a frame, and a script outside measures them.</summary>
internal static class Browser
{
    private const string Measure = """
        const look=f=>{const d=f.contentDocument,w=f.clientWidth;
        const name=e=>e.textContent.slice(0,40), touch=(a,b)=>Math.min(a.right,b.right)-Math.max(a.left,b.left)>1&&Math.min(a.bottom,b.bottom)-Math.max(a.top,b.top)>2;
        const overlaps=[];
        for(const s of d.querySelectorAll('svg')){const t=[...s.querySelectorAll('text')].map(e=>[e,e.getBoundingClientRect()]),all=s.getBoundingClientRect();
        t.forEach(([e,r],i)=>{if(r.left<all.left-1||r.right>all.right+1||r.top<all.top-1||r.bottom>all.bottom+1)overlaps.push('outside: '+name(e));
        for(const [g,q] of t.slice(i+1))if(touch(r,q))overlaps.push(name(e)+' | '+name(g));});}
        const blocks=[...d.querySelectorAll('main h1,main h2,main p,main figure,main .card,main .scroll,main .warn li,main summary')].filter(e=>!e.closest('details:not([open])')||e.tagName=='SUMMARY');
        const boxes=blocks.map(e=>[e,e.getBoundingClientRect()]);
        boxes.forEach(([e,r],i)=>{if(r.left<-1||r.right>w+1)overlaps.push('beyond the page: '+name(e));
        for(const [g,q] of boxes.slice(i+1))if(!e.contains(g)&&!g.contains(e)&&touch(r,q))overlaps.push(name(e)+' || '+name(g));});
        const letters=[...d.querySelectorAll('svg text.soft')].map(e=>e.getAttribute('font-size')*e.ownerSVGElement.getScreenCTM().a);
        return {Letters:Math.min(...letters),Width:d.documentElement.scrollWidth,Pictures:[...d.images].length,Loaded:[...d.images].filter(i=>i.complete&&i.naturalWidth>0).length,Charts:d.querySelectorAll('svg').length,Overlaps:overlaps};};
        window.onload=()=>{const out=document.createElement('pre');out.id='out';
        out.textContent=JSON.stringify([...document.querySelectorAll('iframe')].map(look));
        document.body.replaceChildren(out);};
        """;

    /// <summary>The program, or null where there is none.</summary>
    public static string? Path { get; } = new[] { "chromium", "chromium-browser", "google-chrome" }
        .SelectMany(name => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(System.IO.Path.PathSeparator)
        .Select(folder => System.IO.Path.Combine(folder, name)))
        .FirstOrDefault(File.Exists);

    /// <summary>Renders pages, each at a width, and measures them; one start of the program for all of them.</summary>
    public static Layout[] Look(IEnumerable<(string Html, int Width)> pages, string folder)
    {
        string page = System.IO.Path.Combine(folder, "frames.html");
        var frames = pages.Select(one => $"<iframe width=\"{one.Width}\" height=\"3000\" style=\"border:0;display:block\" "
            + $"srcdoc=\"{WebUtility.HtmlEncode(one.Html)}\"></iframe>");
        File.WriteAllText(page, "<!DOCTYPE html><meta charset=\"utf-8\"><body style=\"margin:0\">"
            + $"{string.Concat(frames)}<script>{Measure}</script></body>");
        string dom = Run(folder, "--window-size=1600,3000", "--virtual-time-budget=5000", "--dump-dom", new Uri(page).AbsoluteUri);
        int start = dom.IndexOf("<pre id=\"out\">", StringComparison.Ordinal);
        Assert.True(start >= 0, $"the page did not load: {dom[..Math.Min(300, dom.Length)]}");
        string json = WebUtility.HtmlDecode(dom[(start + 14)..dom.IndexOf("</pre>", start, StringComparison.Ordinal)]);
        return JsonSerializer.Deserialize<Layout[]>(json)!;
    }

    private static string Run(string folder, params string[] arguments)
    {
        string[] all = ["--headless=new", "--no-sandbox", "--disable-gpu", $"--user-data-dir={System.IO.Path.Combine(folder, "profile")}",
            .. arguments];
        using var process = Process.Start(new ProcessStartInfo(Path!, all)
        { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return output;
    }
}

/// <summary>What a page looks like.</summary>
/// <param name="Width">Width that its content needs.</param>
/// <param name="Pictures">Images.</param>
/// <param name="Loaded">Images that were decoded.</param>
/// <param name="Charts">Charts.</param>
/// <param name="Overlaps">Texts and boxes that lie on each other or outside.</param>
/// <param name="Letters">Height in pixels of the smallest letters along the charts' axes.</param>
internal sealed record Layout(int Width, int Pictures, int Loaded, int Charts, IReadOnlyList<string> Overlaps, double Letters);
