"""The German, Spanish and French vocabulary of times, and what it is in English."""

from __future__ import annotations

from typing import Final, NamedTuple

from stead.memory.timing.words import MONTHS, listed


class Language(NamedTuple):
    """How a language's words map.

    Args:
        signs: Words that tell the language.
        words: What stands for each word; nothing for one that English leaves out.
        before: Words that stand before a quantity where English has "ago" behind it.
    """

    signs: frozenset[str]
    words: dict[str, str]
    before: frozenset[str]


def _words(**lists: str) -> dict[str, str]:
    """From English to the words it stands for; an underscore for a space in the English."""
    return {word: english.strip("_") for english, words in lists.items() for word in words.split()}


def _months(names: str) -> dict[str, str]:
    return {
        word: english
        for english, words in zip(MONTHS, names.split(), strict=True)
        for word in words.split("/")
    }


GERMAN: Final = Language(
    signs=listed(
        "ich du wir ihr sie mich mir mein meine meinem meinen meiner der das dem den und nicht ist "
        "war habe hast hat haben hatte hatten wer wann wo wohin warum welche welchen welches gestern "
        "vorgestern heute letzte letzten letzter letztes letztem nächste nächsten nächster nächstes "
        "diese diesen diesem dieser woche wochen jahr jahren monat tag tagen montag dienstag mittwoch "
        "donnerstag freitag samstag sonntag"
    ),
    words=_words(
        yesterday="gestern", today="heute", tomorrow="morgen",
        last="letzte letzten letzter letztes letztem vorige vorigen voriges vergangene vergangenen vergangenes",
        next="nächste nächsten nächster nächstes nächstem kommende kommenden kommendes",
        this="diese diesen diesem dieser dieses", day="tag", days="tage tagen", week="woche", weeks="wochen",
        weekend="wochenende", month="monat", months="monate monaten", year="jahr", years="jahre jahren",
        hour="stunde", hours="stunden", morning="vormittag", afternoon="nachmittag", evening="abend",
        night="nacht", monday="montag", tuesday="dienstag", wednesday="mittwoch", thursday="donnerstag",
        friday="freitag", saturday="samstag sonnabend", sunday="sonntag", spring="frühling frühjahr",
        summer="sommer", autumn="herbst", winter="winter", christmas="weihnachten", easter="ostern",
        recently="kürzlich neulich", currently="derzeit zurzeit heutzutage momentan gerade jetzt",
        since="seit", before="vor", after="nach", until="bis", between="zwischen", on="am", in_="im in",
        over="über", during="während", from_="von vom", to="zum", of="des", and_="und",
        a="ein eine einem einer einen", two="zwei", three="drei", four="vier", five="fünf", six="sechs",
        seven="sieben", eight="acht", nine="neun", ten="zehn", few="paar", several="mehreren einigen",
        was="war warst waren hatte hatten habe hast haben hat", will="werde wirst wird werden", when="wann",
        every="jeden jede jedes", usually="normalerweise meistens", early="anfang", mid="mitte", late="ende",
    )
    | _months(
        "januar/jänner februar märz april mai juni juli august september oktober november dezember"
    )
    | dict.fromkeys(listed("der die das dem den"), ""),
    before=frozenset({"vor"}),
)  # fmt: skip
SPANISH: Final = Language(
    signs=listed(
        "tengo voy al mañana qué cuándo dónde quién cómo cuál yo mi mis el los las una un y que con "
        "por para estoy estaba fui fue dije hice hablamos ayer anteayer hoy semana semanas mes meses "
        "año años pasado pasada próximo próxima hace día días lunes martes miércoles jueves viernes "
        "sábado domingo desde"
    ),
    words=_words(
        yesterday="ayer", today="hoy", tomorrow="mañana",
        last="pasado pasada pasados pasadas últimos últimas último última",
        next="próximo próxima próximos próximas", this="este esta estos estas", day="día", days="días",
        week="semana", weeks="semanas", month="mes", months="meses", year="año", years="años", hour="hora",
        hours="horas", weekend="finde", morning="madrugada", afternoon="tarde", night="noche",
        monday="lunes", tuesday="martes", wednesday="miércoles", thursday="jueves", friday="viernes",
        saturday="sábado", sunday="domingo", spring="primavera", summer="verano", autumn="otoño",
        winter="invierno", christmas="navidad navidades", recently="recientemente últimamente",
        currently="actualmente ahora", since="desde", before="antes", after="después", until="hasta",
        between="entre", in_="en", of="de del", over="durante", and_="y", a="un una", two="dos",
        three="tres", four="cuatro", five="cinco", six="seis", seven="siete", eight="ocho", nine="nueve",
        ten="diez", few="pocos pocas", several="varios varias", some="unos unas",
        was="fui fue estuve estaba era dije hice hablamos tuve", will="voy vas va vamos haré iré",
        when="cuándo", every="cada todos todas", usually="normalmente", early="principios", mid="mediados",
        late="finales",
    )
    | _months(
        "enero febrero marzo abril mayo junio julio agosto septiembre/setiembre octubre noviembre diciembre"
    )
    | dict.fromkeys(listed("el la los las al"), ""),
    before=frozenset({"hace"}),
)  # fmt: skip
FRENCH: Final = Language(
    signs=listed(
        "je tu nous vous il elle on ai avons avez suis est était étais mon ma mes le les une un et "
        "que quoi quand où qui avec pour dans dit fait allé parlé semaine semaines mois année années "
        "dernier dernière prochain prochaine aujourd'hui avant-hier demain jour jours lundi mardi "
        "mercredi jeudi vendredi samedi dimanche depuis cette cet"
    ),
    words=_words(
        yesterday="hier", today="aujourd'hui", tomorrow="demain",
        last="dernier dernière derniers dernières passé passée",
        next="prochain prochaine prochains prochaines", this="ce cet cette ces", day="jour", days="jours",
        week="semaine", weeks="semaines", month="mois", year="an année", years="ans années", hour="heure",
        hours="heures", morning="matin", afternoon="après-midi", evening="soir", night="nuit",
        monday="lundi", tuesday="mardi", wednesday="mercredi", thursday="jeudi", friday="vendredi",
        saturday="samedi", sunday="dimanche", spring="printemps", summer="été", autumn="automne",
        winter="hiver", christmas="noël", easter="pâques", recently="récemment dernièrement",
        currently="actuellement maintenant", since="depuis", before="avant", after="après",
        until="jusque jusqu", between="entre", in_="en au dans", of="de du d", over="pendant durant",
        and_="et", a="un une", two="deux", three="trois", four="quatre", five="cinq", six="six",
        seven="sept", eight="huit", nine="neuf", ten="dix", few="quelques", several="plusieurs",
        was="était étais étions ai avons avez as a", will="vais vas va allons allez", when="quand",
        every="chaque tous toutes", usually="habituellement", early="début", mid="mi", late="fin",
    )
    | _months("janvier février mars avril mai juin juillet août/aout septembre octobre novembre décembre")
    | dict.fromkeys(listed("le la les l à"), ""),
    before=frozenset(),
)  # fmt: skip

#: Several words, in the languages' own form, that are one or more in English.
PHRASES: Final[tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]] = (
    (("vorgestern",), ("day", "before", "yesterday")),
    (("übermorgen",), ("day", "after", "tomorrow")),
    (("heute", "morgen"), ("this", "morning")),
    (("heute", "früh"), ("this", "morning")),
    (("heute", "abend"), ("this", "evening")),
    (("heute", "nacht"), ("last", "night")),
    (("guten", "morgen"), ("good", "morning")),
    (("am", "morgen"), ("at", "morning")),
    (("in", "letzter", "zeit"), ("lately",)),
    (("anteayer",), ("day", "before", "yesterday")),
    (("pasado", "mañana"), ("day", "after", "tomorrow")),
    (("esta", "mañana"), ("this", "morning")),
    (("por", "la", "mañana"), ("at", "morning")),
    (("la", "mañana"), ("at", "morning")),
    (("anoche",), ("last", "night")),
    (("esta", "noche"), ("tonight",)),
    (("fin", "de", "semana", "pasado"), ("last", "weekend")),
    (("fin", "de", "semana"), ("weekend",)),
    (("antes", "de"), ("before",)),
    (("después", "de"), ("after",)),
    (("avant", "-", "hier"), ("day", "before", "yesterday")),
    (("après", "-", "demain"), ("day", "after", "tomorrow")),
    (("après", "-", "midi"), ("afternoon",)),
    (("ce", "matin"), ("this", "morning")),
    (("hier", "soir"), ("last", "night")),
    (("ce", "soir"), ("tonight",)),
    (("week", "-", "end"), ("weekend",)),
    (("en", "ce", "moment"), ("currently",)),
    (("ces", "jours", "-", "ci"), ("currently",)),
)
